// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The factors of a graph's products, by precision: the type they are kept in, and how a number is rounded to it.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/small_floats.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// A bfloat16 number in memory. It holds each whole number up to 256, and so each uint8 pixel, exactly.
struct Bfloat16 {
  std::uint16_t bits = 0;

  Bfloat16() = default;
  RETORT_HOST_DEVICE explicit Bfloat16(float value) : bits(internal::to_bfloat16(value)) {}
  RETORT_HOST_DEVICE explicit operator float() const { return internal::bfloat16_to_float(bits); }
};

/// The nearest number of 11 significant bits, ties away from zero: what the tensor cores read of a float in TF32.
inline float round_to_tf32(float value) {
  return !is_finite(value) ? value : internal::float_of((internal::bits_of(value) + 0x1000) & ~std::uint32_t{0x1FFF});
}

/// TF32 and bf16 are for floats: the products of doubles are always exact.
template <typename Scalar, Precision precision>
inline constexpr Precision product_precision = std::is_same_v<Scalar, float> ? precision : Precision::fp32;

/// The type in which the factors of a product are kept.
template <typename Scalar, Precision precision>
using Operand = std::conditional_t<product_precision<Scalar, precision> == Precision::bf16, Bfloat16, Scalar>;

/// parameters -> operands, element by element.
template <typename Scalar, typename To>
struct RoundElements {
  const Scalar* values;
  To* operands;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    operands[element] = static_cast<To>(values[element]);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
