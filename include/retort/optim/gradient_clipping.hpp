// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Gradient clipping by the norm over all parameters.

#include <string_view>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Shortens the whole gradient, seen as one vector, to the length `max_norm` if it is longer: Pascanu, Mikolov and
/// Bengio, arXiv:1211.5063. A backend's reduction computes the norm; the rest is here.
struct GradientClipping {
  static constexpr std::string_view name = "GradientClipping";
  double max_norm = 1.0;  ///< Euclidean

  static constexpr auto hyperparameters() {
    constexpr std::string_view expected = "a number that is not rounded to 0 in training";
    constexpr ScalarRange kept{expected, expected,
                               [](const double& x, const ScalarLimits& of) { return x >= of.smallest; }};
    return std::tuple{Hyperparameter{"max_norm", &GradientClipping::max_norm,
                                     Range{"a finite number above 0", allowed::is_positive, kept}}};
  }

  /// The factor of every gradient: min(1, max_norm / (norm + 1e-6)), as in PyTorch's clip_grad_norm_. A norm that is
  /// infinite or NaN gives NaN, which `fit` finds in the parameters at the end of the epoch.
  RETORT_HOST_DEVICE double clip_factor(double norm) const {
    const double factor = max_norm / (norm + 1e-6);
    return !is_finite(norm) ? internal::make_nan() : factor < 1.0 ? factor : 1.0;
  }

  friend bool operator==(const GradientClipping&, const GradientClipping&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
