// SPDX-License-Identifier: MIT
#include "retort/optim/gradient_clipping.hpp"

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"

namespace {

using retort::GradientClipping;

TEST_CASE("A gradient longer than the limit gets the limit's length, a shorter one is left alone", "[optim]") {
  const GradientClipping clipping{.max_norm = 2.5};
  for (const double norm : {0.0, 1e-300, 0.1, 2.4}) {
    CHECK(clipping.clip_factor(norm) == 1.0);
  }
  for (const double norm : {2.6, 10.0, 1e6, 1e300}) {
    const double clipped = norm * clipping.clip_factor(norm);
    CHECK(clipped <= 2.5);
    CHECK_THAT(clipped, WithinRel(2.5, 1e-6));
  }
  CHECK(clipping.clip_factor(4.0) == 2.5 / (4.0 + 1e-6));  // PyTorch's form
}

TEST_CASE("A norm that is no finite number makes the gradient NaN", "[optim]") {
  using Limits = std::numeric_limits<double>;
  for (const double norm : {Limits::infinity(), Limits::quiet_NaN()}) {
    CHECK(std::isnan(GradientClipping{}.clip_factor(norm)));
    CHECK(std::isnan(GradientClipping{1e300}.clip_factor(norm)));
  }
  // The largest norm that is one is clipped.
  CHECK(GradientClipping{}.clip_factor(Limits::max()) == 1.0 / Limits::max());
}

TEST_CASE("The limit is checked", "[optim]") {
  CHECK_NOTHROW(retort::validate_in<double>(GradientClipping{}));
  for (const double bad :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(retort::validate_in<double>(GradientClipping{bad}), retort::OptionError);
  }
  CHECK(retort::describe_settings(GradientClipping{2.5}) == "GradientClipping(max_norm=2.5)");
}

}  // namespace
