// SPDX-License-Identifier: MIT
/// @file
/// One answer by the exported C files, and by the library's own networks: 64 images in turns, so that no branch of one
/// is learned.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "bfloat16.h"
#include "c_file/student.hpp"
#include "float32.h"
#include "int4.h"
#include "int8.h"
#include "retort/quantization/integer_network.hpp"
#include "retort/quantization/quantize.hpp"

namespace retort::benchmarks {

namespace {

constexpr std::size_t image_count = 64;

/// Calls answer(image) for image after image of `inputs`.
template <typename Image, typename Answer>
void measure(benchmark::State& state, const std::vector<Image>& inputs, const Answer& answer) {
  std::size_t index = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(answer(inputs[index++ % image_count]));
  }
}

std::vector<std::array<std::uint8_t, 784>> images() {
  std::vector<std::array<std::uint8_t, 784>> first(image_count);
  std::memcpy(first.data(), digits().view().bytes, image_count * 784);
  return first;
}

/// A C file's $classify. `fails`: what its $selftest gives.
template <int (*classify)(const std::uint8_t*)>
void of_c_file(benchmark::State& state, int fails) {
  if (fails != 0) {
    state.SkipWithError("the file's self-test fails");
    return;
  }
  measure(state, images(), [](const auto& image) { return classify(image.data()); });
}

/// Network::predict of inputs that are normalised already.
void of_network(benchmark::State& state) {
  const auto network = untrained_student();
  const double mean = network.preprocessing()->mean;
  const double deviation = network.preprocessing()->standard_deviation;
  std::vector<std::array<float, 784>> inputs(image_count);
  std::ranges::transform(images(), inputs.begin(), [&](const auto& image) {
    std::array<float, 784> input;
    std::ranges::transform(image, input.begin(),
                           [&](std::uint8_t pixel) { return static_cast<float>((pixel / 255.0 - mean) / deviation); });
    return input;
  });
  measure(state, inputs, [&](const auto& input) { return network.predict(input)[0]; });
}

/// IntegerNetwork::predict.
template <typename P>
void of_integers(benchmark::State& state) {
  const IntegerNetwork network{quantize<P>(untrained_student(), digits())};
  std::array<std::int8_t, 10> logits{};
  measure(state, images(), [&](const auto& image) {
    network.predict(std::span<const std::uint8_t>(image), std::span<std::int8_t>(logits));
    return logits[0];
  });
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("one_sample/float32/c", of_c_file<float32_classify>, float32_selftest());
  benchmark::RegisterBenchmark("one_sample/float32/network", of_network);
  benchmark::RegisterBenchmark("one_sample/bfloat16/c", of_c_file<bfloat16_classify>, bfloat16_selftest());
  benchmark::RegisterBenchmark("one_sample/int8/c", of_c_file<int8_classify>, int8_selftest());
  benchmark::RegisterBenchmark("one_sample/int8/network", of_integers<Int8>);
  benchmark::RegisterBenchmark("one_sample/int4/c", of_c_file<int4_classify>, int4_selftest());
  benchmark::RegisterBenchmark("one_sample/int4/network", of_integers<Int4>);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
