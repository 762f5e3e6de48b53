// SPDX-License-Identifier: MIT
/// Layers of integers for several samples, against their slow twin.

#include "retort/quantization/byte_layer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/philox.hpp"
#include "retort/quantization/fixed_point.hpp"
#include "retort/quantization/integer_layer.hpp"

namespace {

using namespace retort;

RandomSequence numbers{RandomStream{Seed{1}, Stream::synthetic, 0}};

/// A whole number from `low` to `high`.
int draw(int low, int high) { return static_cast<int>(std::floor(numbers.uniform(double(low), double(high) + 1.0))); }

/// Weights to the ends of their range, and factors of every shift.
internal::IntegerLayer random_layer(std::size_t inputs, std::size_t outputs, bool table) {
  internal::IntegerLayer layer{.inputs = inputs, .outputs = outputs, .zero = draw(0, 255), .lowest = draw(0, 255)};
  layer.weights.resize(inputs * outputs);
  std::ranges::generate(layer.weights, [] { return static_cast<std::int8_t>(draw(-127, 127)); });
  for (std::size_t output = 0; output < outputs; ++output) {
    layer.biases.push_back(draw(-2'000'000, 2'000'000));
    layer.factors.push_back({draw(0, 9) == 0 ? 0 : draw(1 << 30, 2147483646), draw(0, 31)});
  }
  if (table) {
    layer.table.resize(256);
    std::ranges::generate(layer.table, [] { return static_cast<std::uint8_t>(draw(0, 255)); });
  }
  return layer;
}

/// The outputs that differ from those of IntegerLayer::compute, for `samples` samples.
std::size_t differences(const internal::IntegerLayer& layer, std::size_t samples) {
  const std::size_t row = internal::byte_layer_row(std::max(layer.inputs, layer.outputs));
  AlignedBuffer<std::uint8_t> x(internal::byte_layer_samples * row);
  AlignedBuffer<std::uint8_t> y(internal::byte_layer_samples * row);
  std::ranges::generate(x.span(), [] { return static_cast<std::uint8_t>(draw(0, 255)); });  // also behind the inputs
  internal::ByteLayer(layer, {}).compute(x.data(), samples, row, y.data());
  std::size_t result = 0;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const auto from = x.span().subspan(sample * row, layer.inputs);
    const std::vector<std::uint16_t> inputs(from.begin(), from.end());
    std::vector<std::uint16_t> expected(layer.outputs);
    layer.compute(inputs, expected);
    for (std::size_t output = 0; output < layer.outputs; ++output) {
      result += expected[output] != y[sample * row + output] ? 1u : 0u;
    }
  }
  return result;
}

TEST_CASE("A layer for several samples has the numbers of its slow twin", "[quantization]") {
  for (const std::size_t inputs : {1u, 3u, 16u, 61u, 64u, 130u}) {
    for (const std::size_t outputs : {1u, 10u, 16u, 20u, 48u, 65u}) {
      for (const std::size_t samples : {1u, 2u, 3u, 8u}) {
        const auto layer = random_layer(inputs, outputs, outputs == 20);
        CAPTURE(inputs, outputs, samples);
        CHECK(differences(layer, samples) == 0);
      }
    }
  }
}

}  // namespace
