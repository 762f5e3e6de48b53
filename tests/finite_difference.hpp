// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The one checker of gradients: analytic against finite differences, in double.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace retort::test {

/// Where an analytic gradient is furthest from the numeric one.
struct GradientDifference {
  double relative_error = 0.0;
  std::size_t index = 0;
  double analytic = 0.0;
  double numeric = 0.0;
};

/// Compares `gradient` with central differences of `f(std::vector<double>) -> double` at `x`.
///
/// The differences are of fourth order over x - 2h ... x + 2h with h = step * max(1, |x_i|): with h = 1e-3 they are
/// good to about 1e-12 of a smooth function's scale. Keep kinks out of that interval, or make the step smaller. An
/// entry's error is relative to itself, or, where it is tiny, to a thousandth of the largest entry. A gradient of
/// another size, or one that is not finite, is an infinite error.
template <typename Function>
GradientDifference worst_gradient_difference(Function&& f, std::vector<double> x, const std::vector<double>& gradient,
                                             double step = 1e-3) {
  if (gradient.size() != x.size()) {
    return {.relative_error = HUGE_VAL};
  }
  std::vector<double> numeric(x.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double centre = x[i];
    const double h = step * std::max(1.0, std::abs(centre));
    const auto at = [&](double offset) {
      x[i] = centre + offset;
      return static_cast<double>(f(x));
    };
    numeric[i] = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    x[i] = centre;
    largest = std::max({largest, std::abs(numeric[i]), std::abs(gradient[i])});
  }
  GradientDifference worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double scale = std::max({std::abs(numeric[i]), std::abs(gradient[i]), 1e-3 * largest});
    const double difference = std::abs(gradient[i] - numeric[i]);
    const double error = scale == 0.0 ? 0.0 : difference / scale;
    if (!(error <= worst.relative_error)) {
      worst = {std::isnan(error) ? HUGE_VAL : error, i, gradient[i], numeric[i]};
    }
  }
  return worst;
}

}  // namespace retort::test
