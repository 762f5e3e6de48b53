// SPDX-License-Identifier: MIT
// The same under -ffast-math: fast_math/fast_math.cpp.

#include "retort/core/float_bits.hpp"

#include <cstddef>
#include <limits>
#include <vector>

#include "catch.hpp"

namespace {

using namespace retort;

TEMPLATE_TEST_CASE("Infinities and NaN are not finite, every other number is", "[core]", float, double) {
  using Limits = std::numeric_limits<TestType>;
  const std::vector<TestType> finite{
      0, -TestType{0}, 1, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min()};
  for (const TestType value : finite) {
    CHECK(is_finite(value));
  }
  for (const TestType value :
       {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::signaling_NaN()}) {
    CHECK_FALSE(is_finite(value));
  }
}

TEST_CASE("A number becomes a float or it does not", "[core]") {
  CHECK(internal::is_finite_float(3.4e38));
  CHECK(internal::is_finite_float(-3.4e38));
  CHECK(internal::is_finite_float(1e-300));
  CHECK_FALSE(internal::is_finite_float(3.5e38));
  CHECK_FALSE(internal::is_finite_float(-3.5e38));
  CHECK_FALSE(internal::is_finite_float(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("Bits come back as the same number", "[core]") {
  CHECK(internal::float_of(internal::bits_of(-1.25f)) == -1.25f);
  CHECK(internal::double_of(internal::bits_of(-1.25)) == -1.25);
  CHECK_FALSE(is_finite(internal::make_nan()));
}

}  // namespace
