// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An elementwise layer: the worked example of CONTRIBUTING.md.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/nn/layer.hpp"

namespace worked_examples {

/// log(1 + exp(x)), without overflow. Dugas et al., "Incorporating second-order functional knowledge for better option
/// pricing", NIPS 2000.
struct Softplus {
  static constexpr std::string_view name = "Softplus";

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    return (x > 0 ? x : T(0)) + std::log1p(std::exp(-std::abs(x)));
  }
  /// At x, with y = value(x).
  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T, T y) {
    return -std::expm1(-y);
  }
};

}  // namespace worked_examples
