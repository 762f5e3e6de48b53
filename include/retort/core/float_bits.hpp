// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A float as its bits, and back, on host and device: std::bit_cast cannot be called in device code without extra
/// compiler flags.

#include <bit>
#include <cstdint>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

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

}  // namespace retort::inline RETORT_INSTRUCTION_SET
