// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Gradient clipping by the norm over all parameters.

#include <limits>
#include <string>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/option.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Shortens the whole gradient, seen as one vector, to the length `max_norm` where it is longer: Pascanu, Mikolov and
/// Bengio, arXiv:1211.5063. The norm itself is a backend's reduction; this is what follows from it.
struct GradientClipping {
  double max_norm = 1.0;  ///< Euclidean; finite, > 0

  /// Throws OptionError for a hyperparameter outside its range, or outside of what Scalar can compute with.
  template <typename Scalar = double>
  void validate() const {
    require_option(max_norm > 0.0, "GradientClipping", "max_norm", max_norm, "a finite number above 0");
    require_option(max_norm >= double{std::numeric_limits<Scalar>::min()}, "GradientClipping", "max_norm", max_norm,
                   "a number that is not rounded to 0 in training");
  }

  std::string describe() const { return describe_settings("GradientClipping", {{"max_norm", max_norm}}); }

  /// min(1, max_norm / (norm + 1e-6)), as PyTorch's clip_grad_norm_: what every gradient is multiplied by. A norm that
  /// is infinite or not a number gives NaN, which `fit` finds in the parameters at the end of the epoch.
  RETORT_HOST_DEVICE double clip_factor(double norm) const {
    const double factor = max_norm / (norm + 1e-6);
    return !is_finite(norm) ? make_nan() : factor < 1.0 ? factor : 1.0;
  }

  friend bool operator==(const GradientClipping&, const GradientClipping&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
