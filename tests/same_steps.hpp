// SPDX-License-Identifier: MIT
#pragma once
// Whether two trainings took the same steps.

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/arguments.hpp"

namespace retort::test {

/// By how much parameters may differ. Adam divides by the gradient's size, so a gradient that is all rounding may move
/// its weight either way: in float a few steps of 1e-3 are allowed to differ, in double it does not happen.
template <typename Scalar>
inline constexpr double adam_tolerance = std::is_same_v<Scalar, float> ? 1e-3 : 1e-10;

/// Parameters and sums of train_steps() with the steps under test, and with those that they are compared with.
template <typename Scalar>
void check_same_steps(const std::vector<double>& found, const backend::LossSum& sum,
                      const std::vector<double>& expected, const backend::LossSum& expected_sum,
                      double tolerance = adam_tolerance<Scalar>) {
  CHECK(largest_difference(found, expected) < tolerance);
  CHECK_THAT(sum.loss, WithinRel(expected_sum.loss, 100 * double{std::numeric_limits<Scalar>::epsilon()}));
  CHECK(std::max(sum.correct, expected_sum.correct) - std::min(sum.correct, expected_sum.correct) <=
        (std::is_same_v<Scalar, float> ? 1u : 0u));
}

}  // namespace retort::test
