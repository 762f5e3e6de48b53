// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The element types of the safetensors format, and the values of those narrower than float.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"
#include "retort/core/small_floats.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

using retort::bfloat16_to_float;
using retort::half_to_float;

/// The element types, under the format's own names.
enum class DType : std::uint8_t {
  BOOL,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

namespace detail {

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  std::size_t bits;
};

inline constexpr std::array<DTypeFacts, 22> dtype_facts{{
    {DType::BOOL, "BOOL", 8},
    {DType::F4, "F4", 4},
    {DType::F6_E2M3, "F6_E2M3", 6},
    {DType::F6_E3M2, "F6_E3M2", 6},
    {DType::U8, "U8", 8},
    {DType::I8, "I8", 8},
    {DType::F8_E5M2, "F8_E5M2", 8},
    {DType::F8_E4M3, "F8_E4M3", 8},
    {DType::F8_E8M0, "F8_E8M0", 8},
    {DType::F8_E4M3FNUZ, "F8_E4M3FNUZ", 8},
    {DType::F8_E5M2FNUZ, "F8_E5M2FNUZ", 8},
    {DType::I16, "I16", 16},
    {DType::U16, "U16", 16},
    {DType::F16, "F16", 16},
    {DType::BF16, "BF16", 16},
    {DType::I32, "I32", 32},
    {DType::U32, "U32", 32},
    {DType::F32, "F32", 32},
    {DType::C64, "C64", 64},
    {DType::F64, "F64", 64},
    {DType::I64, "I64", 64},
    {DType::U64, "U64", 64},
}};

constexpr bool dtype_facts_are_in_order() {
  for (std::size_t index = 0; index < dtype_facts.size(); ++index) {
    if (static_cast<std::size_t>(dtype_facts[index].dtype) != index) {
      return false;
    }
  }
  return true;
}
static_assert(dtype_facts_are_in_order());

}  // namespace detail

/// The format's name of `dtype`, such as "F32".
constexpr std::string_view dtype_name(DType dtype) { return detail::dtype_facts[static_cast<std::size_t>(dtype)].name; }

/// Bits of one element: some types are narrower than a byte.
constexpr std::size_t dtype_bits(DType dtype) { return detail::dtype_facts[static_cast<std::size_t>(dtype)].bits; }

/// Whether it is a type of real numbers that C++ or a conversion (core/small_floats.hpp) can read.
constexpr bool is_floating_point(DType dtype) {
  return dtype == DType::F64 || dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

/// The type of that name, or nothing.
constexpr std::optional<DType> parse_dtype(std::string_view name) {
  for (const detail::DTypeFacts& facts : detail::dtype_facts) {
    if (facts.name == name) {
      return facts.dtype;
    }
  }
  return std::nullopt;
}

/// The element type that holds a C++ arithmetic type.
template <typename Scalar>
consteval DType dtype_of() {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double> ||
                    (std::is_integral_v<Scalar> && !std::is_same_v<Scalar, bool>),
                "retort::io::dtype_of: float, double or an integer");
  if constexpr (std::is_floating_point_v<Scalar>) {
    return sizeof(Scalar) == 4 ? DType::F32 : DType::F64;
  } else {
    constexpr bool is_signed = std::is_signed_v<Scalar>;
    switch (sizeof(Scalar)) {
      case 1:
        return is_signed ? DType::I8 : DType::U8;
      case 2:
        return is_signed ? DType::I16 : DType::U16;
      case 4:
        return is_signed ? DType::I32 : DType::U32;
      default:
        return is_signed ? DType::I64 : DType::U64;
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
