// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Gaussian error linear unit.

#include <cmath>
#include <concepts>
#include <numbers>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = x Phi(x), Phi the standard normal distribution; torch.nn.GELU (the exact form). Hendrycks and Gimpel,
/// arXiv:1606.08415.
struct GELU {
  static constexpr std::string_view name = "GELU";

  template <std::floating_point T>
  RETORT_HOST_DEVICE static T value(T x) {
    return x * distribution(x);
  }

  template <std::floating_point T>
  RETORT_HOST_DEVICE static T derivative(T x, T /*y*/) {
    constexpr T inverse_sqrt_two_pi = std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
    return distribution(x) + x * inverse_sqrt_two_pi * std::exp(-x * x / T{2});
  }

 private:
  template <std::floating_point T>
  RETORT_HOST_DEVICE static T distribution(T x) {
    return (T{1} + std::erf(x / std::numbers::sqrt2_v<T>)) / T{2};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
