#pragma once
/// @file
/// The rectified linear unit.

#include <concepts>
#include <string_view>

#include "retort/core/host_device.hpp"

namespace retort {

/// y = max(x, 0); torch.nn.ReLU. The derivative at 0 is 0, as there.
struct ReLU {
  static constexpr std::string_view name = "ReLU";

  template <std::floating_point T>
  RETORT_HOST_DEVICE static T value(T x) {
    return x < T{0} ? T{0} : x;  // a NaN stays a NaN
  }

  template <std::floating_point T>
  RETORT_HOST_DEVICE static T derivative(T /*x*/, T y) {
    return y > T{0} ? T{1} : T{0};
  }
};

}  // namespace retort
