// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs an optimizer's rule element by element and over arrays, for the tests of the single optimizers.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "golden/optimizer_golden.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::test {

inline constexpr std::size_t optimizer_steps = golden::optimizer::steps;
inline constexpr std::size_t optimizer_size = golden::optimizer::size;

/// The parameters after each step, from the golden initial ones under the golden gradients, element by element.
template <typename Scalar, Optimizer O>
std::vector<Scalar> run_scalars(const O& optimizer) {
  std::vector<Scalar> history;
  std::vector<Scalar> parameters(std::begin(golden::optimizer::initial), std::end(golden::optimizer::initial));
  std::array<std::vector<Scalar>, O::moment_count> moments;
  moments.fill(std::vector<Scalar>(optimizer_size, 0));
  for (std::size_t step = 0; step < optimizer_steps; ++step) {
    const auto rule = optimizer.template rule<Scalar>(step + 1, optimizer.learning_rate);
    for (std::size_t i = 0; i < optimizer_size; ++i) {
      const Scalar gradient = static_cast<Scalar>(golden::optimizer::gradients[step * optimizer_size + i]);
      if constexpr (O::moment_count == 1) {
        rule(parameters[i], gradient, moments[0][i]);
      } else {
        rule(parameters[i], gradient, moments[0][i], moments[1][i]);
      }
    }
    history.insert(history.end(), parameters.begin(), parameters.end());
  }
  return history;
}

/// The same over Eigen arrays: maps of memory, handed over as temporaries, as a backend does.
template <typename Scalar, Optimizer O>
std::vector<Scalar> run_arrays(const O& optimizer) {
  using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
  std::vector<Scalar> history;
  std::vector<Scalar> parameters(std::begin(golden::optimizer::initial), std::end(golden::optimizer::initial));
  std::vector<Scalar> moments(O::moment_count * optimizer_size, 0);
  const auto map = [](Scalar* data) { return Eigen::Map<Array>(data, optimizer_size); };
  for (std::size_t step = 0; step < optimizer_steps; ++step) {
    const auto rule = optimizer.template rule<Scalar>(step + 1, optimizer.learning_rate);
    const Array gradient =
        Eigen::Map<const Eigen::ArrayXd>(golden::optimizer::gradients + step * optimizer_size, optimizer_size)
            .template cast<Scalar>();
    if constexpr (O::moment_count == 1) {
      rule(map(parameters.data()), gradient, map(moments.data()));
    } else {
      rule(map(parameters.data()), gradient, map(moments.data()), map(moments.data() + optimizer_size));
    }
    history.insert(history.end(), parameters.begin(), parameters.end());
  }
  return history;
}

/// `expected`: (steps, size), as PyTorch computed it.
template <Optimizer O>
void check_optimizer_against_golden(const O& optimizer, const double* expected) {
  CAPTURE(optimizer.describe());
  optimizer.validate();
  const auto scalars = run_scalars<double>(optimizer);
  const auto arrays = run_arrays<double>(optimizer);
  const auto narrow_scalars = run_scalars<float>(optimizer);
  const auto narrow_arrays = run_arrays<float>(optimizer);
  for (std::size_t i = 0; i < optimizer_steps * optimizer_size; ++i) {
    CAPTURE(i);
    CHECK_THAT(scalars[i], WithinRel(expected[i], 1e-14));
    CHECK_THAT(arrays[i], WithinRel(expected[i], 1e-14));
    CHECK_THAT(double{narrow_scalars[i]}, WithinRel(expected[i], 2e-6));
    CHECK_THAT(double{narrow_arrays[i]}, WithinRel(expected[i], 2e-6));
  }
}

}  // namespace retort::test
