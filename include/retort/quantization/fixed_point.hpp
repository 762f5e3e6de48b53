// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A real factor below 1 as integers, and the product with it, by the rule of gemmlowp, which LiteRT for
/// Microcontrollers and CMSIS-NN follow: a multiplication that keeps the upper half of the doubled product, and a
/// division by a power of two. Both round to nearest; the first takes ties upward, the second away from zero.

#include <cmath>
#include <cstdint>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// multiplier / 2^(31 + shift).
struct FixedPoint {
  std::int32_t multiplier = 0;  ///< 0, or from 2^30 on
  std::int32_t shift = 0;       ///< 0 to 31

  friend bool operator==(const FixedPoint&, const FixedPoint&) = default;
};

/// The nearest to `factor`; 0 for one below 2^-32. Precondition: 0 <= factor < 1 - 2^-32.
inline FixedPoint fixed_point(const double& factor) {
  int exponent = 0;
  const double fraction = std::frexp(factor, &exponent);  // 0.5 to 1
  auto multiplier = static_cast<std::int64_t>(std::llround(fraction * 2147483648.0));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++exponent;
  }
  if (multiplier == 0 || exponent < -31) {
    return {};
  }
  return {static_cast<std::int32_t>(multiplier), -exponent};
}

/// value * factor, a whole number. Precondition: value is above -2^31.
constexpr std::int32_t multiply(std::int32_t value, FixedPoint factor) {
  const auto high =
      static_cast<std::int32_t>((std::int64_t{value} * factor.multiplier + (std::int64_t{1} << 30)) >> 31);
  const std::int32_t mask = static_cast<std::int32_t>((std::int64_t{1} << factor.shift) - 1);
  const std::int32_t remainder = high & mask;
  const std::int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
  return (high >> factor.shift) + (remainder > threshold ? 1 : 0);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
