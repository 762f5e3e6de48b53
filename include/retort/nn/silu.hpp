// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The sigmoid-weighted linear unit.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = x / (1 + exp(-x)); torch.nn.SiLU. Elfwing, Uchibe and Doya, arXiv:1702.03118.
struct SiLU {
  static constexpr std::string_view name = "SiLU";
  static constexpr bool takes_arrays = true;

  template <typename T>
  RETORT_HOST_DEVICE static auto value(const T& x) {
    using std::exp;
    return x / (1 + exp(-x));
  }

  template <typename T>
  RETORT_HOST_DEVICE static auto derivative(const T& x, const T& y) {
    using std::exp;
    return y + (1 - y) / (1 + exp(-x));  // y + (1 - y) sigma(x)
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
