// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The sigmoid-weighted linear unit.

#include <cmath>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = x / (1 + exp(-x)); torch.nn.SiLU. Elfwing, Uchibe and Doya, arXiv:1702.03118.
struct SiLU {
  static constexpr std::string_view name = "SiLU";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    using std::exp;
    return x / (constant<T>(1) + exp(-x));
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T x, T y) {
    using std::exp;
    return y + (constant<T>(1) - y) / (constant<T>(1) + exp(-x));  // y + (1 - y) sigma(x)
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
