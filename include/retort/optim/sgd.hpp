// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Stochastic gradient descent with momentum, also Nesterov's.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The constants of one step of Sgd.
template <typename Scalar>
struct SgdRule {
  Scalar learning_rate;
  Scalar momentum;
  Scalar weight_decay;
  // The step is gradient_share * g + velocity_share * v: shares (0, 1), or (1, momentum) for Nesterov.
  Scalar gradient_share;
  Scalar velocity_share;

  static constexpr bool takes_vectors = true;

  /// T: Scalar, or a SIMD vector of them.
  template <typename T>
  RETORT_HOST_DEVICE void operator()(T& parameter, const T& gradient, T& velocity) const {
    const T decayed = gradient + constant<T>(weight_decay) * parameter;
    velocity = constant<T>(momentum) * velocity + decayed;
    parameter -=
        constant<T>(learning_rate) * (constant<T>(velocity_share) * velocity + constant<T>(gradient_share) * decayed);
  }
};

/// With g = gradient + weight_decay * w: v <- momentum * v + g, then w <- w - learning_rate * v, or with Nesterov's
/// momentum w <- w - learning_rate * (g + momentum * v). These are PyTorch's semantics (without dampening): the
/// velocity is not scaled by the learning rate, so a scheduled change of rate acts at once. Sutskever et al., "On the
/// importance of initialization and momentum in deep learning" (ICML 2013).
struct Sgd {
  static constexpr std::string_view name = "Sgd";
  static constexpr std::size_t moment_count = 1;

  double learning_rate = 1e-2;
  double momentum = 0.0;
  bool nesterov = false;      ///< needs momentum > 0
  double weight_decay = 0.0;  ///< L2 regularisation through the gradient

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"learning_rate", &Sgd::learning_rate, allowed::at_least_zero},
                      Hyperparameter{"momentum", &Sgd::momentum, allowed::momentum},
                      Hyperparameter{"nesterov", &Sgd::nesterov},
                      Hyperparameter{"weight_decay", &Sgd::weight_decay, allowed::at_least_zero}};
  }

  /// Throws OptionError for a hyperparameter outside its range, or that Scalar cannot compute with.
  template <typename Scalar = double>
  void validate() const {
    validate_hyperparameters<Scalar>(*this);
    require_option(!nesterov || momentum > 0.0, name, "momentum", momentum, "a number above 0 with nesterov");
  }

  /// The rule of step number `step` (from 1); see the concept Optimizer.
  template <typename Scalar>
  SgdRule<Scalar> rule(std::uint64_t /*step*/, double scheduled_learning_rate) const {
    return {.learning_rate = static_cast<Scalar>(scheduled_learning_rate),
            .momentum = static_cast<Scalar>(momentum),
            .weight_decay = static_cast<Scalar>(weight_decay),
            .gradient_share = static_cast<Scalar>(nesterov ? 1.0 : 0.0),
            .velocity_share = static_cast<Scalar>(nesterov ? momentum : 1.0)};
  }

  friend bool operator==(const Sgd&, const Sgd&) = default;
};

static_assert(Optimizer<Sgd>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
