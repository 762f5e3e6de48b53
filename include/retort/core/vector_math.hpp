// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a formula needs to be written once for scalars, on a host or a device, and for SIMD vectors, each of whose
/// lanes is a scalar.

#include <cmath>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

template <typename T>
struct LaneOfVector {
  using type = typename T::value_type;
};
template <typename T>
  requires std::is_arithmetic_v<T>
struct LaneOfVector<T> {
  using type = T;
};

/// The scalar in a lane of the vector T; T itself if it is a scalar.
template <typename T>
using LaneOf = typename LaneOfVector<T>::type;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail::of_vectors {

void select() = delete;  // so that argument-dependent lookup below finds only a vector's own

template <typename Mask, typename V>
RETORT_HOST_DEVICE constexpr V call_select(const Mask& condition, const V& yes, const V& no) {
  return select(condition, yes, no);
}

}  // namespace detail::of_vectors

/// `condition ? yes : no`.
template <typename T>
RETORT_HOST_DEVICE constexpr T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}

/// The same in each lane of a vector, by the vector's own `select`. A call without the namespace finds that one at
/// once; `retort::select` finds it here.
template <typename Mask, typename V>
  requires(!std::is_arithmetic_v<Mask> && !std::is_arithmetic_v<V>)
RETORT_HOST_DEVICE constexpr V select(const Mask& condition, const V& yes, const V& no) {
  return detail::of_vectors::call_select(condition, yes, no);
}

/// A number as T, rounded; for a vector in every lane.
template <typename T, typename Number>
RETORT_HOST_DEVICE constexpr T constant(Number value) {
  return T(static_cast<internal::LaneOf<T>>(value));
}

/// A denominator of several quotients. On a device, a quotient of floats is within 3 units in the last place for
/// denominators of sizes from 2^-126 to 2^126; 0 for larger ones; for smaller ones infinite, or NaN if the numerator is
/// 0. An exact quotient takes several times as long (PTX ISA, rcp.approx.ftz.f32).
template <typename T>
class Divisor {
 public:
  RETORT_HOST_DEVICE explicit Divisor(const T& denominator) : value_(denominator) {
#ifdef __CUDA_ARCH__
    if constexpr (std::is_same_v<T, float>) {
      asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(value_) : "f"(denominator));
    }
#endif
  }

  RETORT_HOST_DEVICE T quotient_of(const T& numerator) const {
#ifdef __CUDA_ARCH__
    if constexpr (std::is_same_v<T, float>) {
      return numerator * value_;
    } else {
      return numerator / value_;
    }
#else
    return numerator / value_;
#endif
  }

 private:
  T value_;  // on a device a float's reciprocal
};

/// numerator / denominator, of floats as by a Divisor.
template <typename Numerator, typename Denominator>
RETORT_HOST_DEVICE auto quotient(const Numerator& numerator, const Denominator& denominator) {
  if constexpr (std::is_same_v<Numerator, float> && std::is_same_v<Denominator, float>) {
    return Divisor<float>(denominator).quotient_of(numerator);
  } else {
    return numerator / denominator;
  }
}

/// The square root. On a device, that of a float has a relative error of at most 2^-23, and is 0 for values below
/// 2^-126 (PTX ISA, sqrt.approx.ftz.f32).
template <typename Value>
RETORT_HOST_DEVICE auto square_root(const Value& value) {
  using std::sqrt;
#ifdef __CUDA_ARCH__
  if constexpr (std::is_same_v<Value, float>) {
    float root;
    asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(root) : "f"(value));
    return root;
  } else {
    return sqrt(value);
  }
#else
  return sqrt(value);
#endif
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
