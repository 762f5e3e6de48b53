// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A float as its bits, and back, on host and device: std::bit_cast cannot be called in device code without extra
/// compiler flags. And whether a number is finite, by its bits: under -ffast-math a compiler takes std::isfinite for
/// true.

#include <bit>
#include <cstdint>

#include "retort/core/host_device.hpp"

namespace retort {

RETORT_HOST_DEVICE inline std::uint32_t bits_of(float value) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(value);
#else
  return std::bit_cast<std::uint32_t>(value);
#endif
}

RETORT_HOST_DEVICE inline float float_of(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  return std::bit_cast<float>(bits);
#endif
}

RETORT_HOST_DEVICE inline std::uint64_t bits_of(double value) {
#ifdef __CUDA_ARCH__
  return static_cast<std::uint64_t>(__double_as_longlong(value));
#else
  return std::bit_cast<std::uint64_t>(value);
#endif
}

/// Neither infinite nor NaN.
RETORT_HOST_DEVICE inline bool is_finite(float value) { return (bits_of(value) & 0x7F800000u) != 0x7F800000u; }
RETORT_HOST_DEVICE inline bool is_finite(double value) {
  return (bits_of(value) & 0x7FF0000000000000u) != 0x7FF0000000000000u;
}

}  // namespace retort
