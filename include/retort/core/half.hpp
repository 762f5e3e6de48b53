// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Numbers of 16 bits in files.

#include <bit>
#include <cstdint>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

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

}  // namespace retort::inline RETORT_INSTRUCTION_SET
