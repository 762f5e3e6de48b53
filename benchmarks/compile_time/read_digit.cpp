// SPDX-License-Identifier: MIT
/// What examples/read_digit does, by the whole library: the peer of <retort/predict.hpp>. Without an image it saves an
/// untrained student.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <retort/retort.hpp>
#include <span>
#include <vector>

namespace rt = retort;

using Student = rt::Sequential<rt::Linear<784, 20>, rt::ReLU, rt::Linear<20, 20>, rt::ReLU, rt::Linear<20, 10>>;

int main(int argc, char** argv) {
  try {
    rt::Network<Student> student{rt::Seed{0}};
    if (argc == 2) {
      student.set_preprocessing(rt::Preprocessing{.bytes = true, .mean = 0.5, .standard_deviation = 0.5});
      rt::io::save_safetensors(student, argv[1]);
      return 0;
    }
    std::vector<std::uint8_t> pixels(784);
    std::FILE* const file = std::fopen(argv[2], "rb");
    if (file == nullptr || std::fscanf(file, "P5 28 28 255") != 0 || std::fgetc(file) == EOF ||
        std::fread(pixels.data(), 1, pixels.size(), file) != pixels.size()) {
      return 1;
    }
    std::fclose(file);
    rt::io::load_safetensors(student, argv[1]);
    const rt::data::Dataset image =
        rt::preprocess_for(student, rt::data::Dataset(rt::data::Matrix<std::uint8_t>(1, 784, std::move(pixels)), {0}));
    std::vector<float> inputs(784);
    rt::data::gather_row(image.view(), rt::data::GatherConstants<float>(image.view()), 0, inputs.data());
    std::printf("%zu\n", student.classify(std::span<const float, 784>(inputs)));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "read_digit: %s\n", error.what());
    return 1;
  }
}
