// SPDX-License-Identifier: MIT
/// Loading a file into a network: either the network is as it was, or what was loaded is finite, saves and loads equal.
/// The same file in memory, for a Predictor: either it answers, or there is one sentence. An input that begins as a
/// JSON object is read as a file's example, too.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/predict/predictor.hpp"
#include "safetensors_mutator.hpp"

namespace {

using retort::fuzz::require;

using Model = retort::Sequential<retort::Linear<3, 4>, retort::BatchNorm<4>, retort::ReLU, retort::Linear<4, 2>>;
using Network = retort::Network<Model>;

/// One thread: the network is tiny.
const Network& initial() {
  static const Network network{retort::Seed{0}, retort::backend::Eigen{1}};
  return network;
}

bool equal(const Network& left, const Network& right) {
  return std::ranges::equal(left.parameter_arena(), right.parameter_arena()) &&
         std::ranges::equal(left.buffer_arena(), right.buffer_arena());
}

void check_file(std::string_view bytes) {
  const std::filesystem::path path = retort::fuzz::input_file("network.safetensors", bytes);
  Network network = initial();
  const auto metadata = retort::fuzz::accepted([&] { return retort::io::load_safetensors(network, path); });
  if (!metadata) {
    require(equal(network, initial()), "a network that was not loaded is as it was");
    return;
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  require(std::ranges::all_of(network.parameter_arena(), finite) && std::ranges::all_of(network.buffer_arena(), finite),
          "a loaded network is finite");
  require(std::ranges::all_of(network.buffer(1), [](float variance) { return variance >= 0; }),
          "a loaded variance is not negative");
  // What could not be loaded is not written either.
  const auto saved = retort::fuzz::accepted([&] {
    retort::io::save_safetensors(network, path);
    return true;
  });
  if (saved) {
    Network again = initial();
    retort::io::load_safetensors(again, path);
    require(equal(again, network), "a network saves and loads equal");
  }
}

void check_in_place(std::string_view bytes) {
  // Alone in its memory, for the address sanitizer.
  auto memory = retort::AlignedBuffer<std::byte>::uninitialized(bytes.size());
  std::ranges::copy(std::as_bytes(std::span(bytes)), memory.data());
  const auto network = retort::Predictor<Model, float>::in(std::as_bytes(memory.span()));
  if (network) {
    const std::array<float, 3> sample{0.5f, -1.0f, 2.0f};
    require(network->classify(sample) < Model::output_size, "a class is one of the model's");
    return;
  }
  const std::string_view error = network.error();
  require(error.size() > 9 && std::ranges::all_of(error, [](char letter) { return letter >= ' ' && letter <= '~'; }),
          "an error is one line of ASCII");
}

void check_example(std::string_view text) {
  using retort::io::detail::read_example;
  std::vector<float> input;
  std::vector<float> logits;
  const auto read = retort::fuzz::accepted([&] {
    read_example(text, text.size(), text.size(), input, logits);
    return true;
  });
  if (read && !input.empty() && !logits.empty()) {
    std::vector<float> again_input;
    std::vector<float> again_logits;
    read_example(retort::io::detail::example_text(std::span<const float>(input), std::span<const float>(logits)),
                 input.size(), logits.size(), again_input, again_logits);
    require(again_input == input && again_logits == logits, "an example writes and reads equal");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = retort::fuzz::text_of(data, size);
  check_file(input);
  check_in_place(input);
  if (input.starts_with('{')) {
    check_example(input);
  }
  return 0;
}

namespace {

std::string saved(const Network& network) {
  const std::filesystem::path path = retort::fuzz::input_file("seed.safetensors", "");
  retort::io::save_safetensors(network, path);
  return retort::test::read_file(path);
}

/// The tensors of the initial network without metadata, as PyTorch writes them, one of them filled with `value`.
std::string filled(std::string_view name, float value) {
  const std::filesystem::path path = retort::fuzz::input_file("seed.safetensors", saved(initial()));
  const retort::io::SafetensorsFile file = retort::io::SafetensorsFile::read(path);
  std::vector<retort::io::Tensor> tensors(file.tensors().begin(), file.tensors().end());
  const auto tensor = std::ranges::find(tensors, name, &retort::io::Tensor::name);
  require(tensor != tensors.end(), "the network has the seed's tensor");
  const std::vector<float> values(tensor->count(), value);
  tensor->bytes = std::as_bytes(std::span(values));
  retort::io::write_safetensors(path, tensors);
  return retort::test::read_file(path);
}

}  // namespace

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  return {
      {"saved", saved(initial())},
      {"without_metadata", filled("0.bias", 0.5f)},
      {"largest_weights", filled("0.weight", 3e38f)},
      {"weights_that_multiply_to_infinity", filled("3.weight", 9e18f)},
      {"not_a_number", filled("1.bias", std::numeric_limits<float>::quiet_NaN())},
      {"negative_variance", filled("1.running_var", -1e-3f)},
      {"example", R"({"input":[-1,-0.5,0.5],"logits":[0.25,1e-3]})"},
      {"example_beyond_float", R"({"input":[1e39],"logits":[1e-46]})"},
      {"example_twice", R"({"input":[1],"input":[1]})"},
      {"empty_example", R"({"input":[],"logits":[]})"},
  };
}
