// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How many bits a weight has, and the numbers that stand for real ones: Jacob et al., "Quantization and training of
/// neural networks for efficient integer-arithmetic-only inference", arXiv:1712.05877; the scheme of LiteRT's 8-bit
/// specification.

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string_view>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Weights of 8 bits, -127 to 127: a row's largest magnitude is 127 steps.
struct Int8 {
  static constexpr std::string_view name = "Int8";
  static constexpr int bits = 8;
  static constexpr int largest = 127;
};

/// Weights of 4 bits, -7 to 7. A row's largest magnitude is 7 steps, unless it is beyond 3.5 times the root of the mean
/// square: with so few steps it is better to cut off a few large weights than to round all others coarsely.
struct Int4 {
  static constexpr std::string_view name = "Int4";
  static constexpr int bits = 4;
  static constexpr int largest = 7;
  static constexpr double most_deviations = 3.5;
};

/// Int8 or Int4.
template <typename P>
concept WeightFormat = std::same_as<P, Int8> || std::same_as<P, Int4>;

namespace internal {

/// What a weight is multiplied by to become steps, one for each row (an output's weights); and back.
template <typename Scalar>
struct WeightSteps {
  Scalar in_steps;  ///< 0 for a row of zeros, or of weights so small that a step would be no normal number
  Scalar step;      ///< likewise

  /// A whole number from -largest to largest, ties to even.
  template <WeightFormat P>
  RETORT_HOST_DEVICE Scalar round(Scalar weight) const {
    constexpr auto largest = static_cast<Scalar>(P::largest);
    const Scalar steps = std::rint(weight * in_steps);
    return steps > largest ? largest : steps < -largest ? -largest : steps;  // a NaN stays a NaN
  }
};

/// Those of `count` weights.
template <WeightFormat P, typename Scalar>
RETORT_HOST_DEVICE WeightSteps<Scalar> weight_steps(const Scalar* weights, std::size_t count) {
  constexpr std::size_t strands = 64 / sizeof(Scalar);  // as many as the widest SIMD register has elements
  Scalar largest[strands] = {};
  Scalar squares[strands] = {};
  const auto add = [&](std::size_t strand, Scalar weight) {
    const Scalar magnitude = std::abs(weight);
    largest[strand] = magnitude > largest[strand] ? magnitude : largest[strand];
    squares[strand] += weight * weight;
  };
  const std::size_t whole = count / strands * strands;
  for (std::size_t i = 0; i < whole; i += strands) {
    for (std::size_t strand = 0; strand < strands; ++strand) {
      add(strand, weights[i + strand]);
    }
  }
  for (std::size_t i = whole; i < count; ++i) {
    add(i - whole, weights[i]);
  }
  Scalar most = 0;
  Scalar sum = 0;
  for (std::size_t strand = 0; strand < strands; ++strand) {
    most = largest[strand] > most ? largest[strand] : most;
    sum += squares[strand];
  }
  constexpr Scalar smallest = std::numeric_limits<Scalar>::min();
  if constexpr (requires { P::most_deviations; }) {
    const Scalar deviation = std::sqrt(sum / static_cast<Scalar>(count));
    const Scalar bound = static_cast<Scalar>(P::most_deviations) * deviation;
    most = sum >= smallest && bound < most ? bound : most;  // squares that small have lost their bits
  }
  constexpr auto steps = static_cast<Scalar>(P::largest);
  return most >= steps * smallest ? WeightSteps<Scalar>{steps / most, most / steps} : WeightSteps<Scalar>{0, 0};
}

/// A layer's inputs or outputs as bytes: byte b stands for (b - zero) * step. Zero is among them, exactly.
template <typename Scalar>
struct ByteScale {
  Scalar step;      ///< 0 if the range is empty, or is none: too narrow for normal numbers, or too wide for finite ones
  Scalar in_steps;  ///< likewise
  Scalar zero;      ///< a whole number from 0 to 255

  ByteScale() = default;
  /// For numbers from low to high, and 0. `range` is {low, high}.
  RETORT_HOST_DEVICE explicit ByteScale(const Scalar* range) {
    const Scalar low = range[0] < Scalar{0} ? range[0] : Scalar{0};
    const Scalar high = range[1] > Scalar{0} ? range[1] : Scalar{0};
    constexpr Scalar narrowest = Scalar{256} * std::numeric_limits<Scalar>::min();
    const Scalar between = high - low;
    const Scalar extent = between >= narrowest && is_finite(between) ? between : Scalar{0};
    step = extent / Scalar{255};
    in_steps = extent > Scalar{0} ? Scalar{255} / extent : Scalar{0};
    zero = extent > Scalar{0} ? std::rint(-low * in_steps) : Scalar{0};
  }

  /// The byte that is nearest to x, as a whole number from 0 to 255.
  RETORT_HOST_DEVICE Scalar byte(Scalar x) const {
    const Scalar number = std::rint(x * in_steps) + zero;
    return number < Scalar{0} ? Scalar{0} : number > Scalar{255} ? Scalar{255} : number;  // a NaN stays a NaN
  }
  RETORT_HOST_DEVICE Scalar value(Scalar byte) const { return (byte - zero) * step; }
  /// Whether the nearest byte's value is that of x, and not an end of the range that x is beyond.
  RETORT_HOST_DEVICE bool holds(Scalar x) const {
    const Scalar number = std::rint(x * in_steps) + zero;
    return number >= Scalar{0} && number <= Scalar{255};
  }
};

}  // namespace internal

}  // namespace retort::inline RETORT_INSTRUCTION_SET
