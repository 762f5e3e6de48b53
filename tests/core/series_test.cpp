// SPDX-License-Identifier: MIT
#include "retort/core/series.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"

namespace {

using namespace retort;

TEMPLATE_TEST_CASE("What exp and log1p leave is right to the last bits, however small", "[core]", float, double) {
  constexpr double tolerance = 4 * double{std::numeric_limits<TestType>::epsilon()};
  for (int i = -100; i <= 100; ++i) {
    const TestType x = static_cast<TestType>(i) / 200;
    const long double wide = x;
    CAPTURE(x);
    CHECK_THAT(double{internal::exp_minus_linear(x)},
               WithinRel(static_cast<double>(std::expm1(wide) - wide), tolerance));
    CHECK_THAT(double{internal::linear_minus_log(x)},
               WithinRel(static_cast<double>(wide - std::log1p(wide)), tolerance));
  }
  for (const double tiny : {1e-6, -1e-9, 1e-12}) {
    const TestType x = static_cast<TestType>(tiny);
    CAPTURE(tiny);
    CHECK_THAT(double{internal::exp_minus_linear(x)}, WithinRel(double{x} * double{x} / 2, 1e-6));
    CHECK_THAT(double{internal::linear_minus_log(x)}, WithinRel(double{x} * double{x} / 2, 1e-6));
  }
  CHECK(internal::exp_minus_linear(TestType{0}) == 0);
  CHECK(internal::linear_minus_log(TestType{0}) == 0);
}

}  // namespace
