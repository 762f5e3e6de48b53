// SPDX-License-Identifier: MIT
/// write_onnx FOLDER
/// Writes networks of every layer as FOLDER/NAME.onnx, raw features as NAME_inputs.npy, and the logits that the library
/// has for them as NAME_logits.npy, for comparison with another program.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "../random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/save_npy.hpp"
#include "retort/io/export_onnx.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/preprocessing.hpp"

namespace {

namespace rt = retort;

using Model =
    rt::Sequential<rt::AvgPool2d<rt::Shape<2, 4, 6>, 2>, rt::Linear<12, 16>, rt::BatchNorm<16>, rt::GELU,
                   rt::Dropout<0.5>, rt::Linear<16, 24, rt::Bias::no>, rt::LayerNorm<24>, rt::SiLU, rt::GELUTanh,
                   rt::Linear<24, 20>, rt::LeakyReLU<0.125>, rt::Linear<20, 18>, rt::Tanh, rt::Linear<18, 16>, rt::ReLU,
                   rt::Linear<16, 12>, rt::Sigmoid, rt::Linear<12, 10>, rt::Dropout<0.25>>;

constexpr std::size_t samples = 257;

rt::Network<Model> make_network() {
  rt::Network<Model> network{rt::Seed{1}, rt::backend::Eigen{1}};
  std::uint64_t seed = 0;
  for (std::size_t index = 0; index < Model::parameters.size(); ++index) {
    const auto values = network.parameter(index);
    std::ranges::copy(rt::test::random_values<float>(values.size(), ++seed), values.begin());
  }
  std::ranges::copy(rt::test::random_values<float>(16, ++seed), network.buffer(0).begin());
  std::ranges::copy(rt::test::random_values<float>(16, ++seed, 0.5, 2.0), network.buffer(1).begin());
  return network;
}

template <typename Raw>
void write(const std::filesystem::path& folder, const std::string& name, std::vector<Raw> raw,
           const rt::Preprocessing* preprocessing) {
  rt::Network<Model> network = make_network();
  const rt::data::Matrix<Raw> inputs(samples, Model::input_size, std::move(raw));
  rt::data::save_npy(folder / (name + "_inputs.npy"), inputs);
  if (preprocessing != nullptr) {
    network.set_preprocessing(*preprocessing);
  }
  const rt::data::Dataset data = rt::preprocess_for(network, rt::data::Dataset(inputs));
  const rt::data::Matrix<float> logits(samples, Model::output_size, rt::predict_all(network, data));
  rt::data::save_npy(folder / (name + "_logits.npy"), logits);
  rt::io::export_onnx(network, folder / (name + ".onnx"), {.description = "of every layer", .metadata = {}});
}

void write_all(const std::filesystem::path& folder) {
  constexpr std::size_t count = samples * Model::input_size;
  write(folder, "plain", rt::test::random_values<float>(count, 100), nullptr);

  std::vector<std::uint8_t> bytes(count);
  std::ranges::transform(rt::test::random_values<double>(count, 101, 0, 256), bytes.begin(),
                         [](double value) { return static_cast<std::uint8_t>(value); });
  const rt::Preprocessing images{.bytes = true, .mean = 0.1307, .standard_deviation = 0.3081};
  write(folder, "bytes", std::move(bytes), &images);

  // Means far larger than deviations: in float32 their differences would be wrong.
  const rt::Preprocessing table{.column_means = rt::test::random_values<double>(Model::input_size, 102, 1e6, 1.001e6),
                                .column_deviations = rt::test::random_values<double>(Model::input_size, 103, 100, 1000),
                                .class_names = {"zero", "one", "\xC3\xA9", "\"three\"", "4", "5", "6", "7", "8", "9"}};
  write(folder, "columns", rt::test::random_values<float>(count, 104, 0.999e6, 1.002e6), &table);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) {
      std::fprintf(stderr, "usage: write_onnx FOLDER\n");
      return 2;
    }
    write_all(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_onnx: %s\n", error.what());
    return 1;
  }
}
