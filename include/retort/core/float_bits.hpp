// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A floating-point number as its bits and back, on host and device. Under -ffast-math only the bits tell whether a
/// number is finite: a compiler may then assume that none is infinite or NaN, so that std::isfinite is true and
/// comparisons with NaN mislead. std::bit_cast cannot be called in device code without extra compiler flags.

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

RETORT_HOST_DEVICE inline std::uint32_t bits_of(const float& value) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(value);
#else
  return std::bit_cast<std::uint32_t>(value);
#endif
}

RETORT_HOST_DEVICE inline std::uint64_t bits_of(const double& value) {
#ifdef __CUDA_ARCH__
  return static_cast<std::uint64_t>(__double_as_longlong(value));
#else
  return std::bit_cast<std::uint64_t>(value);
#endif
}

RETORT_HOST_DEVICE inline float float_of(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  return std::bit_cast<float>(bits);
#endif
}

RETORT_HOST_DEVICE inline double double_of(std::uint64_t bits) {
#ifdef __CUDA_ARCH__
  return __longlong_as_double(static_cast<long long>(bits));
#else
  return std::bit_cast<double>(bits);
#endif
}

namespace detail {

template <std::floating_point T>
using BitsOf = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;

/// The bits of infinity: all bits of the exponent.
template <std::floating_point T>
inline constexpr BitsOf<T> infinity_bits =
    sizeof(T) == sizeof(std::uint32_t) ? static_cast<BitsOf<T>>(0x7F800000)
                                       : static_cast<BitsOf<T>>(0x7FF0000000000000);

/// Bits whose origin the compiler does not know, so that it cannot rule out a NaN.
template <typename Bits>
RETORT_HOST_DEVICE inline Bits of_unknown_origin(Bits bits) {
#if defined(__GNUC__) && !defined(__CUDA_ARCH__)
  asm("" : "+r"(bits));
#endif
  return bits;
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Whether a number is neither infinite nor NaN, even under -ffast-math, which makes std::isfinite true of every
/// number.
template <std::floating_point T>
RETORT_HOST_DEVICE inline bool is_finite(const T& value) {
  const auto bits = internal::detail::of_unknown_origin(internal::bits_of(value));
  return (bits & internal::detail::infinity_bits<T>) != internal::detail::infinity_bits<T>;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Whether float can hold a number, rounded.
inline bool is_finite_float(const double& value) {
  return is_finite(value) && value <= double{std::numeric_limits<float>::max()} &&
         value >= double{std::numeric_limits<float>::lowest()};
}

/// A NaN that survives every compiler flag.
RETORT_HOST_DEVICE inline double make_nan() {
  return double_of(detail::of_unknown_origin(std::uint64_t{0x7FF8000000000000}));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
