// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The hyperbolic tangent.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = tanh(x); torch.nn.Tanh.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  static constexpr bool takes_arrays = true;

  template <typename T>
  RETORT_HOST_DEVICE static auto value(const T& x) {
    using std::tanh;
    return tanh(x);
  }

  template <typename T>
  RETORT_HOST_DEVICE static auto derivative(const T& /*x*/, const T& y) {
    return 1 - y * y;
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
