// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Adam with weight decay separate from the gradient.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv:1711.05101, in PyTorch's arrangement:
/// w <- (1 - learning_rate * weight_decay) w, then Adam's step from the plain gradient. A schedule scales the decay
/// together with the learning rate.
struct AdamW {
  static constexpr std::string_view name = "AdamW";
  static constexpr std::size_t moment_count = 2;

  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;  ///< per unit of learning rate

  static constexpr auto hyperparameters() { return internal::adam_hyperparameters<AdamW>(); }

  /// Throws OptionError for a hyperparameter outside its range, or that Scalar cannot compute with.
  template <typename Scalar = double>
  void validate() const {
    internal::validate_adam<Scalar>(*this);
    require_option(learning_rate * weight_decay <= double{std::numeric_limits<Scalar>::max()}, name, "weight_decay",
                   weight_decay, "a number whose product with learning_rate is finite in training");
  }

  /// The rule of step number `step` (from 1); see the concept Optimizer.
  template <typename Scalar>
  AdamRule<Scalar> rule(std::uint64_t step, double scheduled_learning_rate) const {
    auto rule = Adam{.beta1 = beta1, .beta2 = beta2, .epsilon = epsilon}.rule<Scalar>(step, scheduled_learning_rate);
    rule.parameter_factor = static_cast<Scalar>(1.0 - scheduled_learning_rate * weight_decay);
    return rule;
  }

  friend bool operator==(const AdamW&, const AdamW&) = default;
};

static_assert(Optimizer<AdamW>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
