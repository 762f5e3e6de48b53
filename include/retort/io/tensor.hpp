// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tensors in files: the element types of the safetensors format, and a tensor with any of them.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

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
  std::string_view name;
  std::size_t bits;
};

/// In the order of DType.
inline constexpr DTypeFacts dtype_facts[] = {
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64}};

static_assert(std::size(dtype_facts) == static_cast<std::size_t>(DType::U64) + 1);
static_assert(dtype_facts[static_cast<std::size_t>(DType::F8_E4M3FNUZ)].name == "F8_E4M3FNUZ");
static_assert(dtype_facts[static_cast<std::size_t>(DType::BF16)].name == "BF16");
static_assert(dtype_facts[static_cast<std::size_t>(DType::C64)].name == "C64");

/// Bits of one element: some types are narrower than a byte.
constexpr std::size_t dtype_bits(DType dtype) { return dtype_facts[static_cast<std::size_t>(dtype)].bits; }

/// Whether it is a type of real numbers that C++ or core/small_floats.hpp can read.
constexpr bool is_floating_point(DType dtype) {
  return dtype == DType::F64 || dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

/// The type with that name, or nothing.
constexpr std::optional<DType> parse_dtype(std::string_view name) {
  for (std::size_t index = 0; index < std::size(dtype_facts); ++index) {
    if (dtype_facts[index].name == name) {
      return static_cast<DType>(index);
    }
  }
  return std::nullopt;
}

}  // namespace detail

/// The format's name of `dtype`, such as "F32".
constexpr std::string_view dtype_name(DType dtype) { return detail::dtype_facts[static_cast<std::size_t>(dtype)].name; }

/// The element type that holds a C++ arithmetic type.
template <typename Scalar>
consteval DType dtype_of() {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double> ||
                    (std::is_integral_v<Scalar> && !std::is_same_v<Scalar, bool>),
                "retort::io::dtype_of: float, double or an integer");
  if constexpr (std::is_floating_point_v<Scalar>) {
    return sizeof(Scalar) == 4 ? DType::F32 : DType::F64;
  } else {
    constexpr std::array of_size{DType::I8, DType::I16, DType::I32, DType::I64};
    constexpr std::array unsigned_of_size{DType::U8, DType::U16, DType::U32, DType::U64};
    constexpr auto index = static_cast<std::size_t>(std::countr_zero(sizeof(Scalar)));
    return std::is_signed_v<Scalar> ? of_size[index] : unsigned_of_size[index];
  }
}

/// One tensor of a file. The SafetensorsFile it came from, or its maker, owns its bytes.
struct Tensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::size_t> shape;    // outermost first; empty for a single number
  std::span<const std::byte> bytes;  // row-major, little-endian, not necessarily aligned

  /// A tensor over values that must outlive it: `Tensor::of<float>("0.weight", {20, 784}, values)`.
  template <typename Scalar>
  static Tensor of(std::string name, std::vector<std::size_t> shape, std::span<const Scalar> values) {
    return {std::move(name), dtype_of<Scalar>(), std::move(shape), std::as_bytes(values)};
  }

  /// Elements: the product of the shape, 1 if it is empty.
  std::size_t count() const { return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>{}); }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
