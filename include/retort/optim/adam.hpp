// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Adam: steps scaled by running estimates of the gradient's first two moments.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The constants of one step of Adam or AdamW. The two differ in where weight decay acts: through the gradient
/// (`gradient_decay`), or on the parameter itself (`parameter_factor`).
template <typename Scalar>
struct AdamRule {
  Scalar beta1;
  Scalar one_minus_beta1;
  Scalar beta2;
  Scalar one_minus_beta2;
  Scalar step_size;   ///< learning_rate / (1 - beta1^step)
  Scalar root_scale;  ///< 1 / sqrt(1 - beta2^step)
  Scalar epsilon;
  Scalar gradient_decay;    ///< Adam's weight_decay, else 0
  Scalar parameter_factor;  ///< AdamW's 1 - learning_rate * weight_decay, else 1

  static constexpr bool takes_vectors = true;

  /// T: Scalar, or a SIMD vector of them.
  template <typename T>
  RETORT_HOST_DEVICE void operator()(T& parameter, const T& gradient, T& mean, T& square) const {
    const T decayed = gradient + constant<T>(gradient_decay) * parameter;
    mean = constant<T>(beta1) * mean + constant<T>(one_minus_beta1) * decayed;
    square = constant<T>(beta2) * square + constant<T>(one_minus_beta2) * (decayed * decayed);
    parameter =
        constant<T>(parameter_factor) * parameter -
        constant<T>(step_size) * quotient(mean, square_root(square) * constant<T>(root_scale) + constant<T>(epsilon));
  }
};

namespace internal {

/// The table of Adam and of AdamW.
template <typename O>
constexpr auto adam_hyperparameters() {
  return std::tuple{Hyperparameter{"learning_rate", &O::learning_rate, allowed::at_least_zero},
                    Hyperparameter{"beta1", &O::beta1, allowed::momentum},
                    Hyperparameter{"beta2", &O::beta2, allowed::momentum},
                    Hyperparameter{"epsilon", &O::epsilon, allowed::above_zero},
                    Hyperparameter{"weight_decay", &O::weight_decay, allowed::at_least_zero}};
}

/// Throws OptionError for values that neither of them can compute with in Scalar.
template <typename Scalar, typename O>
void validate_adam(const O& adam) {
  validate_hyperparameters<Scalar>(adam);
  require_option(adam.learning_rate / (1.0 - adam.beta1) <= double{std::numeric_limits<Scalar>::max()}, O::name,
                 "learning_rate", adam.learning_rate, "a number whose quotient by 1 - beta1 is finite in training");
}

}  // namespace internal

/// Kingma and Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980, in PyTorch's arrangement. With
/// g = gradient + weight_decay * w: m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2, then
/// w <- w - learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon). The bias corrections are
/// computed in double, once per step.
struct Adam {
  static constexpr std::string_view name = "Adam";
  static constexpr std::size_t moment_count = 2;

  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  ///< L2 regularisation through the gradient

  static constexpr auto hyperparameters() { return internal::adam_hyperparameters<Adam>(); }

  /// Throws OptionError for a hyperparameter outside its range, or that Scalar cannot compute with.
  template <typename Scalar = double>
  void validate() const {
    internal::validate_adam<Scalar>(*this);
  }

  /// The rule of step number `step` (from 1); see the concept Optimizer.
  template <typename Scalar>
  AdamRule<Scalar> rule(std::uint64_t step, double scheduled_learning_rate) const {
    const double t = static_cast<double>(step);
    return {.beta1 = static_cast<Scalar>(beta1),
            .one_minus_beta1 = static_cast<Scalar>(1.0 - beta1),
            .beta2 = static_cast<Scalar>(beta2),
            .one_minus_beta2 = static_cast<Scalar>(1.0 - beta2),
            .step_size = static_cast<Scalar>(scheduled_learning_rate / (1.0 - std::pow(beta1, t))),
            .root_scale = static_cast<Scalar>(1.0 / std::sqrt(1.0 - std::pow(beta2, t))),
            .epsilon = static_cast<Scalar>(epsilon),
            .gradient_decay = static_cast<Scalar>(weight_decay),
            .parameter_factor = Scalar{1}};
  }

  friend bool operator==(const Adam&, const Adam&) = default;
};

static_assert(Optimizer<Adam>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
