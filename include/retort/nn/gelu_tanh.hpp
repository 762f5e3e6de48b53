// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Gaussian error linear unit by a hyperbolic tangent.

#include <cmath>
#include <numbers>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = x / 2 (1 + tanh u), u = sqrt(2 / pi) (x + 0.044715 x^3); torch.nn.GELU(approximate="tanh"). Hendrycks and
/// Gimpel, arXiv:1606.08415. It differs from GELU by at most 5e-4. Computed as x / (1 + exp(-2 u)) it does not cancel
/// below 0; its relative error is at most 8 + 3 |u| units in the last place.
struct GELUTanh {
  static constexpr std::string_view name = "GELUTanh";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    return x / (constant<T>(1) + exponential(x));
  }

  /// g + x g (1 - g) 2 u' with g = 1 / (1 + e), e = exp(-2 u), 1 - g = e g. Beyond 9 it is 0 or 1 to 1e-30, and e may
  /// overflow.
  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T x, T /*y*/) {
    const T end = constant<T>(9);
    const T inside = select(x > end, end, select(x < -end, -end, x));
    const T e = exponential(inside);
    const T g = constant<T>(1) / (constant<T>(1) + e);
    const T slope = constant<T>(2 * scale) * (constant<T>(1) + constant<T>(3 * cubic) * inside * inside);
    return g + inside * g * (e * g) * slope;
  }

 private:
  static constexpr double cubic = 0.044715;
  static constexpr double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)

  /// exp(-2 u)
  template <typename T>
  RETORT_HOST_DEVICE static T exponential(T x) {
    using std::exp;
    return exp(constant<T>(-2 * scale) * x * (constant<T>(1) + constant<T>(cubic) * x * x));
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
