// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Numbers of 16 bits: IEEE 754 binary16, which files have, and bfloat16, the upper half of a float, with its range and
/// 8 significant bits.

#include <bit>
#include <cstdint>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The bits of an IEEE 754 binary16 number as the float of the same value. NaN keeps its payload.
constexpr float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1Fu;
  const std::uint32_t fraction = bits & 0x3FFu;
  if (exponent == 0) {
    // Zero, or a subnormal: a multiple of 2^-24, which float holds exactly.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign == 0 ? magnitude : -magnitude;
  }
  const std::uint32_t wide_exponent = exponent == 0x1Fu ? 0xFFu : exponent + (127u - 15u);
  return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

/// The bits of the nearest bfloat16 number, ties to even; NaN stays NaN.
RETORT_HOST_DEVICE inline std::uint16_t to_bfloat16(float value) {
  const std::uint32_t bits = bits_of(value);
  return (bits & 0x7FFFFFFF) > 0x7F800000 ? static_cast<std::uint16_t>((bits >> 16) | 0x40)
                                          : static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// The bits of a bfloat16 number as the float of the same value.
RETORT_HOST_DEVICE inline float bfloat16_to_float(std::uint16_t bits) { return float_of(std::uint32_t{bits} << 16); }

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
