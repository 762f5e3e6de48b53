// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a formula needs to be written once for scalars and for SIMD vectors, of which each lane is a scalar.

#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

template <typename T>
struct LaneOf {
  using type = typename T::value_type;
};
template <typename T>
  requires std::is_arithmetic_v<T>
struct LaneOf<T> {
  using type = T;
};

}  // namespace detail

/// The scalar in a lane of the vector T; a scalar itself.
template <typename T>
using LaneOf = typename detail::LaneOf<T>::type;

/// `condition ? yes : no`. A vector's own `select` is found by argument-dependent lookup beside this one.
template <typename T>
RETORT_HOST_DEVICE constexpr T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}

/// A number as T, rounded; in every lane of a vector.
template <typename T, typename Number>
RETORT_HOST_DEVICE constexpr T constant(Number value) {
  return T(static_cast<LaneOf<T>>(value));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
