// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The hyperbolic tangent.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/vector_math.hpp"

namespace retort {

/// y = tanh(x); torch.nn.Tanh.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    using std::tanh;
    return tanh(x);
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T /*x*/, T y) {
    return constant<T>(1) - y * y;
  }
};

}  // namespace retort
