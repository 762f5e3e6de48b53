// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A fully connected layer in integers, and how inputs become integers: everything that a program needs which has
/// nothing of this library.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/nn/input_scales.hpp"
#include "retort/quantization/fixed_point.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Bytes, or sums of a square of them, to bytes: output o is
/// clamp(multiply(biases[o] + sum over i of weights[o, i] x[i], factors[o]) + zero, lowest, 255), and after that
/// table[output] if there is a table. No sum leaves 32 bits.
struct IntegerLayer {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<std::int8_t> weights{};  // (outputs, inputs)
  std::vector<std::int32_t> biases{};  // (outputs)
  std::vector<FixedPoint> factors{};   // (outputs)
  std::int32_t zero = 0;               // the byte that stands for 0, before the table
  std::int32_t lowest = 0;             // `zero` where negative numbers become 0, as a ReLU does
  std::vector<std::uint8_t> table{};   // (256), or none

  void compute(std::span<const std::uint16_t> x, std::span<std::uint16_t> y) const {
    for (std::size_t output = 0; output < outputs; ++output) {
      std::int32_t sum = biases[output];
      for (std::size_t i = 0; i < inputs; ++i) {
        sum += std::int32_t{weights[output * inputs + i]} * std::int32_t{x[i]};
      }
      const auto byte =
          static_cast<std::uint8_t>(std::clamp(multiply(sum, factors[output]) + zero, lowest, std::int32_t{255}));
      y[output] = table.empty() ? byte : table[byte];
    }
  }
};

/// The squares of an AvgPool2d: K x K pixels each, side by side.
struct Squares {
  std::size_t columns = 0;  ///< of an image
  std::size_t square = 1;   ///< K; 1 for none

  std::size_t area() const { return square * square; }
  std::size_t in_a_row() const { return columns / square; }

  /// Calls use(pixel) for the pixels of square `index`.
  template <typename Use>
  void for_each_pixel(std::size_t index, const Use& use) const {
    const std::size_t first = index / in_a_row() * square * columns + index % in_a_row() * square;
    for (std::size_t row = 0; row < square; ++row) {
      for (std::size_t column = 0; column < square; ++column) {
        use(first + row * columns + column);
      }
    }
  }

  /// The sums of the squares: AvgPool2d without its division.
  void sum(std::span<const std::uint8_t> pixels, std::span<std::uint16_t> sums) const {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      std::uint16_t sum = 0;
      for_each_pixel(i, [&](std::size_t pixel) { sum = static_cast<std::uint16_t>(sum + pixels[pixel]); });
      sums[i] = sum;
    }
  }

  /// A layer that reads the pixels in place of their sums: all of a square have its weight.
  IntegerLayer of_pixels(const IntegerLayer& of_sums) const {
    IntegerLayer layer = of_sums;
    layer.inputs *= area();
    layer.weights.resize(layer.outputs * layer.inputs);
    for (std::size_t output = 0; output < layer.outputs; ++output) {
      for (std::size_t i = 0; i < of_sums.inputs; ++i) {
        for_each_pixel(i, [&](std::size_t pixel) {
          layer.weights[output * layer.inputs + pixel] = of_sums.weights[output * of_sums.inputs + i];
        });
      }
    }
    return layer;
  }
};

/// Real inputs as bytes: a feature is clamp(round(h / 2) + zero, 0, 255), halves away from zero, where h is what
/// InputScales makes of it. Differences come first and the rounding is in integers, so that no compiler can fuse two
/// operations into one that rounds otherwise.
struct RealInputs {
  InputScales scales{};
  std::int32_t zero = 0;

  std::uint8_t byte(std::size_t feature, float x) const {
    const std::size_t i = scales.entry(feature);
    float halves = (x - scales.centers[i] - scales.rest(feature)) * scales.factors[i];
    halves = halves > -1024.0f ? halves : -1024.0f;  // a NaN becomes the least
    halves = halves < 1024.0f ? halves : 1024.0f;
    const auto whole = static_cast<std::int32_t>(halves);
    return static_cast<std::uint8_t>(
        std::clamp((whole + (whole < 0 ? -1 : 1)) / 2 + zero, std::int32_t{0}, std::int32_t{255}));
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
