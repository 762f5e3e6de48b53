// SPDX-License-Identifier: MIT
#include "retort/core/small_floats.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;

TEST_CASE("A float becomes the nearest bfloat16, ties to even", "[core]") {
  CHECK(internal::to_bfloat16(1.0f) == 0x3F80);
  CHECK(internal::to_bfloat16(-2.0f) == 0xC000);
  CHECK(internal::to_bfloat16(0.0f) == 0);
  CHECK(internal::to_bfloat16(-0.0f) == 0x8000);
  const float step = 0x1p-7f;  // between bfloat16 numbers from 1 on
  CHECK(internal::to_bfloat16(1 + step / 2) == 0x3F80);
  CHECK(internal::to_bfloat16(1 + step * 3 / 2) == 0x3F82);
  CHECK(internal::to_bfloat16(std::nextafter(1 + step / 2, 2.0f)) == 0x3F81);
  CHECK(internal::to_bfloat16(std::nextafter(1 + step * 3 / 2, 1.0f)) == 0x3F81);
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(internal::bfloat16_to_float(internal::to_bfloat16(infinity)) == infinity);
  CHECK(internal::bfloat16_to_float(internal::to_bfloat16(std::numeric_limits<float>::max())) == infinity);
  for (const std::uint32_t nan : {0x7F800001u, 0x7FFFFFFFu, 0xFFC00000u}) {
    CHECK(std::isnan(internal::bfloat16_to_float(internal::to_bfloat16(std::bit_cast<float>(nan)))));
  }
  for (const float value : test::random_values<float>(1000, 3)) {
    const float rounded = internal::bfloat16_to_float(internal::to_bfloat16(value));
    REQUIRE(std::abs(rounded - value) <= std::abs(value) / 256);
    REQUIRE(internal::to_bfloat16(rounded) == internal::to_bfloat16(value));
  }
}

TEST_CASE("Every pixel of a byte is a bfloat16", "[core]") {
  for (int pixel = 0; pixel < 256; ++pixel) {
    REQUIRE(internal::bfloat16_to_float(internal::to_bfloat16(static_cast<float>(pixel))) == static_cast<float>(pixel));
  }
}

}  // namespace
