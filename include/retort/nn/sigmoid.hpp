// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The logistic function.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = 1 / (1 + exp(-x)); torch.nn.Sigmoid.
struct Sigmoid {
  static constexpr std::string_view name = "Sigmoid";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    using std::exp;
    return constant<T>(1) / (constant<T>(1) + exp(-x));
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T /*x*/, T y) {
    return y * (constant<T>(1) - y);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
