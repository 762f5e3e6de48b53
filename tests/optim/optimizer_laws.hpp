// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs an optimizer's rule element by element and over vectors, for the tests of the single optimizers.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "golden/optimizer_golden.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/simd/vector.hpp"

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

/// The same by vectors, a parameter in each lane, as a CPU backend does.
template <typename Scalar, Optimizer O>
std::vector<Scalar> run_vectors(const O& optimizer) {
  using V = simd::Vector<Scalar>;
  std::vector<Scalar> history;
  std::vector<Scalar> parameters(std::begin(golden::optimizer::initial), std::end(golden::optimizer::initial));
  std::vector<Scalar> moments(O::moment_count * optimizer_size, 0);
  for (std::size_t step = 0; step < optimizer_steps; ++step) {
    const auto rule = optimizer.template rule<Scalar>(step + 1, optimizer.learning_rate);
    const double* first = golden::optimizer::gradients + step * optimizer_size;
    const std::vector<Scalar> gradients(first, first + optimizer_size);
    simd::for_each_vector<V>(optimizer_size, [&](std::size_t at, std::size_t count) {
      const auto load = [&](const Scalar* values) { return simd::load_partial<V>(values + at, count); };
      V parameter = load(parameters.data());
      V moment = load(moments.data());
      if constexpr (O::moment_count == 1) {
        rule(parameter, load(gradients.data()), moment);
      } else {
        V second = load(moments.data() + optimizer_size);
        rule(parameter, load(gradients.data()), moment, second);
        simd::store_partial(second, moments.data() + optimizer_size + at, count);
      }
      simd::store_partial(moment, moments.data() + at, count);
      simd::store_partial(parameter, parameters.data() + at, count);
    });
    history.insert(history.end(), parameters.begin(), parameters.end());
  }
  return history;
}

/// `expected`: (steps, size), as PyTorch computed it.
template <Optimizer O>
void check_optimizer_against_golden(const O& optimizer, const double* expected) {
  CAPTURE(describe_settings(optimizer));
  validate_in<double>(optimizer);
  const auto scalars = run_scalars<double>(optimizer);
  const auto vectors = run_vectors<double>(optimizer);
  const auto narrow_scalars = run_scalars<float>(optimizer);
  const auto narrow_vectors = run_vectors<float>(optimizer);
  for (std::size_t i = 0; i < optimizer_steps * optimizer_size; ++i) {
    CAPTURE(i);
    CHECK_THAT(scalars[i], WithinRel(expected[i], 1e-14));
    CHECK_THAT(vectors[i], WithinRel(expected[i], 1e-14));
    CHECK_THAT(double{narrow_scalars[i]}, WithinRel(expected[i], 2e-6));
    CHECK_THAT(double{narrow_vectors[i]}, WithinRel(expected[i], 2e-6));
  }
}

}  // namespace retort::test
