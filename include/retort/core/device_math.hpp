// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Quotients and square roots of formulas that a device evaluates for every parameter.

#include <cmath>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// numerator / denominator. Of floats on a device within 2 units in the last place for denominators of sizes from
/// 2^-126 to 2^126, and 0 for larger ones: an exact quotient takes several times as long (CUDA C++ Programming Guide,
/// "Intrinsic functions").
template <typename Numerator, typename Denominator>
RETORT_HOST_DEVICE auto quotient(const Numerator& numerator, const Denominator& denominator) {
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Numerator, float> && std::is_same_v<Denominator, float>) {
    return __fdividef(numerator, denominator);
  } else {
    return numerator / denominator;
  }
#else
  return numerator / denominator;
#endif
}

/// The square root. Of a float on a device with a relative error of at most 2^-23 (PTX ISA, sqrt.approx.f32).
template <typename Value>
RETORT_HOST_DEVICE auto square_root(const Value& value) {
  using std::sqrt;
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Value, float>) {
    float root;
    asm("sqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(value));
    return root;
  } else {
    return sqrt(value);
  }
#else
  return sqrt(value);
#endif
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
