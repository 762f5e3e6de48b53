// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/operand.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/core/small_floats.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;
using backend::Precision;

static_assert(std::is_same_v<Operand<float, Precision::bf16>, Bfloat16> && sizeof(Bfloat16) == 2);
static_assert(std::is_same_v<Operand<float, Precision::tf32>, float>);
static_assert(std::is_same_v<Operand<double, Precision::bf16>, double>);

TEST_CASE("a bfloat16 is rounded as everywhere, and whole up to 256", "[graph]") {
  for (const float value : test::random_values<float>(10000, 1, -3.0, 3.0)) {
    REQUIRE(Bfloat16(value).bits == internal::to_bfloat16(value));
    REQUIRE(static_cast<float>(Bfloat16(value)) == internal::bfloat16_to_float(internal::to_bfloat16(value)));
  }
  for (int pixel = 0; pixel <= 256; ++pixel) {
    REQUIRE(static_cast<float>(Bfloat16(static_cast<float>(pixel))) == static_cast<float>(pixel));
  }
  CHECK(static_cast<float>(Bfloat16(257.0f)) == 256.0f);  // a tie, to even
  CHECK(static_cast<float>(Bfloat16(259.0f)) == 260.0f);
}

TEST_CASE("TF32 has eleven significant bits, and ties go away from zero", "[graph]") {
  CHECK(round_to_tf32(2047.0f) == 2047.0f);
  CHECK(round_to_tf32(2049.0f) == 2050.0f);
  CHECK(round_to_tf32(-2049.0f) == -2050.0f);
  CHECK(round_to_tf32(2048.9f) == 2048.0f);
  CHECK(round_to_tf32(1.0f + 0x1p-10f) == 1.0f + 0x1p-10f);
  CHECK(round_to_tf32(std::numeric_limits<float>::infinity()) == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(round_to_tf32(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
