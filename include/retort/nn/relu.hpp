// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The rectified linear unit.

#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = max(x, 0); torch.nn.ReLU. The derivative at 0 is 0, as there.
struct ReLU {
  static constexpr std::string_view name = "ReLU";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    return select(x < constant<T>(0), constant<T>(0), x);  // a NaN stays a NaN
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T /*x*/, T y) {
    return select(y > constant<T>(0), constant<T>(1), constant<T>(0));
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
