// SPDX-License-Identifier: MIT
/// write_files FOLDER: a saved student, 100 images of random bytes, and the logits that they have by backend/generic.
/// write_files FOLDER FILE: whether FILE has those logits, but for products that are fused with sums or not.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "predict/one_thread.hpp"
#include "random_values.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/relu.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using Student = Sequential<Linear<784, 20>, ReLU, Linear<20, 20>, ReLU, Linear<20, 10>>;
constexpr std::size_t images = 100;

std::string characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_files(const std::filesystem::path& folder) {
  Network<Student, test::OneThread> network{Seed{1}};
  network.set_preprocessing(Preprocessing{.bytes = true, .mean = 0.1307, .standard_deviation = 0.3081});
  io::save_safetensors(network, folder / "student.safetensors");
  std::vector<std::uint8_t> pixels;
  std::vector<float> inputs;
  for (const float value : test::random_values<float>(images * 784, 2, 0.0, 255.9)) {
    pixels.push_back(static_cast<std::uint8_t>(value));
    inputs.push_back((static_cast<float>(pixels.back()) / 255.0f - 0.1307f) / 0.3081f);
  }
  std::vector<float> logits(images * 10);
  network.predict(inputs, std::span<float>(logits));
  test::write_file(folder / "images", characters(std::as_bytes(std::span(pixels))));
  test::write_file(folder / "expected", characters(std::as_bytes(std::span(logits))));
}

bool compare(const std::filesystem::path& folder, const char* name) {
  const std::string expected = test::read_file(folder / "expected");
  const std::string found = test::read_file(folder / name);
  if (found.size() != expected.size()) {
    std::fprintf(stderr, "%s: %zu bytes, expected %zu\n", name, found.size(), expected.size());
    return false;
  }
  float largest = 1;
  float difference = 0;
  for (std::size_t place = 0; place < expected.size(); place += sizeof(float)) {
    float a = 0;
    float b = 0;
    std::memcpy(&a, expected.data() + place, sizeof(a));
    std::memcpy(&b, found.data() + place, sizeof(b));
    largest = std::fmax(largest, std::fabs(a));
    difference = a == b ? difference : std::fmax(difference, a - b == a - b ? std::fabs(a - b) : HUGE_VALF);
  }
  std::printf("%s: the logits differ by at most %.1e of the largest\n", name, double{difference / largest});
  return difference <= 2e-6f * largest;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    return compare(argv[1], argv[2]) ? 0 : 1;
  }
  write_files(argv[1]);
  return 0;
}
