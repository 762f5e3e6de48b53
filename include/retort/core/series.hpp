// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What remains of exp and log1p after their first terms, near 0, where a subtraction would leave only rounding. For
/// scalars and SIMD vectors.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Terms for the 24 bits of float or the 53 of double.
template <typename T, std::size_t of_float, std::size_t of_double>
inline constexpr std::size_t series_terms = std::is_same_v<LaneOf<T>, float> ? of_float : of_double;

/// sum_n Coefficient::at(n) x^n over n < Terms, by Horner's rule.
template <typename Coefficient, std::size_t Terms, typename T>
RETORT_HOST_DEVICE constexpr T polynomial(T x) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    T sum = constant<T>(Coefficient::template at<Terms - 1>);
    ((sum = sum * x + constant<T>(Coefficient::template at<Terms - 2 - Index>)), ...);
    return sum;
  }(std::make_index_sequence<Terms - 1>{});
}

/// 1 / (n + 2)!
struct ExponentialCoefficient {
  template <std::size_t n>
  static constexpr double at = [] {
    double factorial = 1.0;
    for (std::size_t i = 2; i <= n + 2; ++i) {
      factorial *= static_cast<double>(i);
    }
    return 1.0 / factorial;
  }();
};

/// 1 / (2 n + 3)
struct AreaTangentCoefficient {
  template <std::size_t n>
  static constexpr double at = 1.0 / static_cast<double>(2 * n + 3);
};

/// exp(x) - 1 - x, to the last bits of T. Precondition: |x| <= 1/2, else the number is meaningless.
template <typename T>
RETORT_HOST_DEVICE constexpr T exp_minus_linear(T x) {
  constexpr std::size_t terms = series_terms<T, 7, 14>;
  return x * x * polynomial<ExponentialCoefficient, terms>(x);
}

/// x - log(1 + x), to the last bits of T. Precondition: |x| <= 1/2, else the number is meaningless.
///
/// With z = x / (2 + x), log(1 + x) = 2 artanh(z) = 2 (z + z^3 / 3 + z^5 / 5 + ...), and x - 2 z = x z.
template <typename T>
RETORT_HOST_DEVICE T linear_minus_log(T x) {
  constexpr std::size_t terms = series_terms<T, 8, 17>;
  const T z = quotient(x, constant<T>(2) + x);
  const T square = z * z;
  return z * (x - (square + square) * polynomial<AreaTangentCoefficient, terms>(square));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
