// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The leaky rectified linear unit.

#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// y = x for x > 0, else slope * x; torch.nn.LeakyReLU with its default slope. Maas, Hannun and Ng, "Rectifier
/// nonlinearities improve neural network acoustic models" (2013).
template <double slope = 0.01>
struct LeakyReLU {
  static constexpr std::string_view name = "LeakyReLU";
  static constexpr bool takes_vectors = true;

  static std::string describe() { return concatenate({name, "(", slope, ")"}); }

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    return select(x > constant<T>(0), x, constant<T>(slope) * x);
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T x, T /*y*/) {
    return select(x > constant<T>(0), constant<T>(1), constant<T>(slope));
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
