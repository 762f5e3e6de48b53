// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The hyperbolic tangent.

#include <cmath>
#include <string_view>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/core/vector_tanh.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = tanh(x); torch.nn.Tanh.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    if constexpr (!std::is_arithmetic_v<T> && std::is_same_v<LaneOf<T>, float>) {
      return tanh_of_floats(x);
    } else {
      using std::tanh;
      return tanh(x);
    }
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T /*x*/, T y) {
    return constant<T>(1) - y * y;
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
