// SPDX-License-Identifier: MIT
#include "retort/quantization/fixed_point.hpp"

#include <cmath>
#include <cstdint>

#include "catch.hpp"
#include "retort/core/philox.hpp"

namespace {

using namespace retort;
using internal::fixed_point;
using internal::FixedPoint;
using internal::multiply;

TEST_CASE("A factor becomes 31 bits and a shift", "[quantization]") {
  CHECK(fixed_point(0.5) == FixedPoint{1 << 30, 0});
  CHECK(fixed_point(0.25) == FixedPoint{1 << 30, 1});
  CHECK(fixed_point(0.75) == FixedPoint{3 << 29, 0});
  CHECK(fixed_point(0.0) == FixedPoint{});
  CHECK(fixed_point(0x1p-32) == FixedPoint{1 << 30, 31});
  CHECK(fixed_point(0x1p-33) == FixedPoint{});
  // Rounds up to the next power of two.
  CHECK(fixed_point(0.5 - 0x1p-40) == FixedPoint{1 << 30, 0});
}

// gemmlowp's fixedpoint.h: SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, as its comments define them: the
// nearest integer, halves up in the first and away from zero in the second.
std::int32_t by_definition(std::int32_t value, FixedPoint factor) {
  const double high = std::floor(static_cast<double>(value) * factor.multiplier / 0x1p31 + 0.5);
  const double quotient = high / std::exp2(factor.shift);
  return static_cast<std::int32_t>(quotient < 0 ? -std::floor(-quotient + 0.5) : std::floor(quotient + 0.5));
}

TEST_CASE("A product with a fixed-point factor is rounded as in gemmlowp", "[quantization]") {
  CHECK(multiply(3, fixed_point(0.5)) == 2);
  CHECK(multiply(-3, fixed_point(0.5)) == -1);  // -1.5: halves go up
  CHECK(multiply(6, fixed_point(0.25)) == 2);   // 3, then 1.5: away from zero
  CHECK(multiply(-6, fixed_point(0.25)) == -2);
  CHECK(multiply(0x7FFFFFFF, fixed_point(1 - 0x1p-31)) == 0x7FFFFFFE);
  CHECK(multiply(-0x7FFFFFFF, fixed_point(0x1p-32)) == 0);
  const RandomStream random{Seed{1}, Stream::synthetic, 0};
  int different = 0;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    // Sums of all sizes, also small ones, whose halves are frequent.
    const auto value = static_cast<std::int32_t>(random.word(3 * i)) >> (random.word(3 * i + 1) % 28);
    const FixedPoint factor{static_cast<std::int32_t>((random.word(3 * i + 2) >> 2) | 1u << 30),
                            static_cast<std::int32_t>(random.word(3 * i + 1) >> 27)};
    different += value > -0x7FFFFFFF && multiply(value, factor) != by_definition(value, factor) ? 1 : 0;
  }
  CHECK(different == 0);
}

}  // namespace
