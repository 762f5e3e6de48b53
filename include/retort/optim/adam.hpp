// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Adam: steps scaled by running estimates of the gradient's first two moments.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "retort/core/device_math.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/option.hpp"
#include "retort/core/text.hpp"
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

/// The hyperparameters that Adam and AdamW share, checked. Throws OptionError.
template <typename Scalar>
void validate_adam_options(std::string_view owner, double learning_rate, double beta1, double beta2, double epsilon,
                           double weight_decay) {
  require_option(learning_rate >= 0.0, owner, "learning_rate", learning_rate, "a finite number of at least 0");
  require_option(beta1 >= 0.0 && beta1 < 1.0, owner, "beta1", beta1, "a number in [0, 1)");
  require_option(beta2 >= 0.0 && beta2 < 1.0, owner, "beta2", beta2, "a number in [0, 1)");
  require_option(epsilon > 0.0, owner, "epsilon", epsilon, "a finite number above 0");
  require_option(weight_decay >= 0.0, owner, "weight_decay", weight_decay, "a finite number of at least 0");
  require_scalar<Scalar>(owner, "learning_rate", learning_rate);
  require_scalar_below_one<Scalar>(owner, "beta1", beta1);
  require_scalar_below_one<Scalar>(owner, "beta2", beta2);
  require_option(learning_rate / (1.0 - beta1) <= double{std::numeric_limits<Scalar>::max()}, owner, "learning_rate",
                 learning_rate, "a number whose quotient by 1 - beta1 is finite in training");
  require_scalar<Scalar>(owner, "epsilon", epsilon);
  require_scalar<Scalar>(owner, "weight_decay", weight_decay);
}

/// Kingma and Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980, in PyTorch's arrangement. With
/// g = gradient + weight_decay * w: m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2, then
/// w <- w - learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon). The bias corrections are
/// computed in double, once per step.
struct Adam {
  static constexpr std::string_view name = "Adam";
  static constexpr std::size_t moment_count = 2;

  double learning_rate = 1e-3;  ///< finite, >= 0
  double beta1 = 0.9;           ///< in [0, 1)
  double beta2 = 0.999;         ///< in [0, 1)
  double epsilon = 1e-8;        ///< finite, > 0
  double weight_decay = 0.0;    ///< finite, >= 0; L2 regularisation through the gradient

  /// Throws OptionError for a hyperparameter outside its range, or outside of what Scalar can compute with.
  template <typename Scalar = double>
  void validate() const {
    validate_adam_options<Scalar>(name, learning_rate, beta1, beta2, epsilon, weight_decay);
  }

  std::string describe() const {
    return describe_settings(name, {{"learning_rate", learning_rate},
                                    {"beta1", beta1},
                                    {"beta2", beta2},
                                    {"epsilon", epsilon},
                                    {"weight_decay", weight_decay}});
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
