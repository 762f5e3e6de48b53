// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The logistic function.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = 1 / (1 + exp(-x)); torch.nn.Sigmoid.
struct Sigmoid {
  static constexpr std::string_view name = "Sigmoid";
  static constexpr bool takes_arrays = true;

  template <typename T>
  RETORT_HOST_DEVICE static auto value(const T& x) {
    using std::exp;
    return 1 / (1 + exp(-x));
  }

  template <typename T>
  RETORT_HOST_DEVICE static auto derivative(const T& /*x*/, const T& y) {
    return y * (1 - y);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
