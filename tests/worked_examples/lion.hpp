// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An optimizer: the worked example of CONTRIBUTING.md.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/optim/optimizer.hpp"

namespace worked_examples {

/// The constants of one step of Lion.
template <typename Scalar>
struct LionRule {
  Scalar learning_rate;
  Scalar beta1;
  Scalar beta2;
  Scalar weight_decay;

  RETORT_HOST_DEVICE void operator()(Scalar& parameter, Scalar gradient, Scalar& moment) const {
    const Scalar direction = beta1 * moment + (1 - beta1) * gradient;
    const Scalar sign = direction > 0 ? Scalar{1} : direction < 0 ? Scalar{-1} : Scalar{0};
    parameter -= learning_rate * (sign + weight_decay * parameter);
    moment = beta2 * moment + (1 - beta2) * gradient;
  }
};

/// Steps of one size along the sign of a mean gradient. Chen et al., "Symbolic discovery of optimization algorithms",
/// NeurIPS 2023, arXiv:2302.06675.
struct Lion {
  static constexpr std::string_view name = "Lion";
  static constexpr std::size_t moment_count = 1;

  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.0;

  static constexpr auto hyperparameters() {
    using retort::Hyperparameter;
    return std::tuple{Hyperparameter{"learning_rate", &Lion::learning_rate, retort::allowed::at_least_zero},
                      Hyperparameter{"beta1", &Lion::beta1, retort::allowed::momentum},
                      Hyperparameter{"beta2", &Lion::beta2, retort::allowed::momentum},
                      Hyperparameter{"weight_decay", &Lion::weight_decay, retort::allowed::at_least_zero}};
  }

  template <typename Scalar>
  LionRule<Scalar> rule(std::uint64_t /*step*/, double scheduled_learning_rate) const {
    return {static_cast<Scalar>(scheduled_learning_rate), static_cast<Scalar>(beta1), static_cast<Scalar>(beta2),
            static_cast<Scalar>(weight_decay)};
  }
};

}  // namespace worked_examples
