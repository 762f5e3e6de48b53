// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Operands of tensor cores: floats as sums of bfloat16 numbers, and bytes as such. Two neighbours of an operand share
/// a word, the first in its lower half.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// A float is the sum of this many bfloat16 numbers of 8 significant bits.
inline constexpr std::size_t bf16_pieces = 3;

namespace detail {

/// Byte i is the byte of (low, high) that digit i of the selector names, like the CUDA intrinsic __byte_perm.
RETORT_HOST_DEVICE inline std::uint32_t select_bytes(std::uint32_t low, std::uint32_t high, std::uint32_t selector) {
#ifdef __CUDA_ARCH__
  return __byte_perm(low, high, selector);
#else
  const std::uint64_t bytes = std::uint64_t{high} << 32 | low;
  std::uint32_t result = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    result |= static_cast<std::uint32_t>(bytes >> (8 * (selector >> (4 * i) & 7u)) & 0xFFu) << (8 * i);
  }
  return result;
#endif
}

/// A float's upper half: its 8 leading bits, rounded towards zero.
RETORT_HOST_DEVICE inline float leading_bf16(float value) {
  return internal::float_of(internal::bits_of(value) & 0xFFFF0000u);
}

}  // namespace detail

/// The leading bfloat16 numbers of two floats.
RETORT_HOST_DEVICE inline std::uint32_t bf16_pair(float first, float second) {
  return detail::select_bytes(internal::bits_of(first), internal::bits_of(second), 0x7632u);
}

/// Two floats as sums of `bf16_pieces` bfloat16 numbers each, the largest first: exact for zeros and from 2^-110 on,
/// below that within 2^-133. Infinities and NaN become sums that are NaN.
RETORT_HOST_DEVICE inline void split_into_bf16(float first, float second, std::uint32_t (&pieces)[bf16_pieces]) {
  RETORT_UNROLL for (std::uint32_t& piece : pieces) {
    piece = bf16_pair(first, second);
    // Exact: the leading bits are taken away.
    first -= detail::leading_bf16(first);
    second -= detail::leading_bf16(second);
  }
}

/// The factor that turns the numbers of bf16_bytes() back into bytes, less the center.
inline constexpr float bf16_byte_unit = 64.0f;

/// Whether byte - center is a bfloat16 number for every byte: of at most 8 bits.
inline bool is_byte_center(float center) {
  const bool is_byte = center >= 0.0f && center <= 255.0f && center == std::floor(center);
  return is_byte || center == 127.5f;
}

/// What bf16_bytes() takes for such a center.
RETORT_HOST_DEVICE inline std::uint32_t bf16_center(float center) {
  return bf16_pair(-center / bf16_byte_unit, -center / bf16_byte_unit);
}

/// Bytes 0 and 2 of a word whose other bytes are zero, less the center, each divided by bf16_byte_unit, exactly.
RETORT_HOST_DEVICE inline std::uint32_t bf16_bytes(std::uint32_t bytes, std::uint32_t center = 0x80008000u) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  // The bits of a byte b are the bfloat16 number b 2^-133: a subnormal below 2^7, else one of the first binade, which
  // has the same spacing. So one multiplication by 2^127 converts two bytes.
  std::uint32_t result;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(bytes), "r"(0x7F007F00u), "r"(center));
  return result;
#else
  const auto less_center = [&](std::uint32_t byte) {
    return static_cast<float>(byte) / bf16_byte_unit + detail::leading_bf16(internal::float_of(center));
  };
  return bf16_pair(less_center(bytes & 0xFFu), less_center(bytes >> 16 & 0xFFu));
#endif
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
