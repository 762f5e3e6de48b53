// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An optimizer that keeps three numbers of each parameter: the worked example of CONTRIBUTING.md.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/optim/optimizer.hpp"

namespace worked_examples {

/// The constants of one step of AmsGrad.
template <typename Scalar>
struct AmsGradRule {
  Scalar beta1;
  Scalar beta2;
  Scalar step_size;   ///< learning_rate / (1 - beta1^step)
  Scalar root_scale;  ///< 1 / sqrt(1 - beta2^step)
  Scalar epsilon;

  RETORT_HOST_DEVICE void operator()(Scalar& parameter, Scalar gradient, Scalar& mean, Scalar& square,
                                     Scalar& largest) const {
    mean = beta1 * mean + (1 - beta1) * gradient;
    square = beta2 * square + (1 - beta2) * gradient * gradient;
    largest = square > largest ? square : largest;
    using std::sqrt;
    parameter -= step_size * mean / (sqrt(largest) * root_scale + epsilon);
  }
};

/// Adam with steps that never grow where gradients have been large: torch.optim.Adam(amsgrad=True). Reddi, Kale and
/// Kumar, "On the convergence of Adam and beyond", ICLR 2018, arXiv:1904.09237.
struct AmsGrad {
  static constexpr std::string_view name = "AmsGrad";
  static constexpr std::size_t moment_count = 3;

  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;

  static constexpr auto hyperparameters() {
    using retort::Hyperparameter;
    return std::tuple{Hyperparameter{"learning_rate", &AmsGrad::learning_rate, retort::allowed::at_least_zero},
                      Hyperparameter{"beta1", &AmsGrad::beta1, retort::allowed::momentum},
                      Hyperparameter{"beta2", &AmsGrad::beta2, retort::allowed::momentum},
                      Hyperparameter{"epsilon", &AmsGrad::epsilon, retort::allowed::above_zero}};
  }

  template <typename Scalar>
  AmsGradRule<Scalar> rule(std::uint64_t step, double scheduled_learning_rate) const {
    const double t = static_cast<double>(step);
    return {static_cast<Scalar>(beta1), static_cast<Scalar>(beta2),
            static_cast<Scalar>(scheduled_learning_rate / (1.0 - std::pow(beta1, t))),
            static_cast<Scalar>(1.0 / std::sqrt(1.0 - std::pow(beta2, t))), static_cast<Scalar>(epsilon)};
  }
};

}  // namespace worked_examples
