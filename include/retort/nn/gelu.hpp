// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Gaussian error linear unit.

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string_view>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/series.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// Phi(-a) exp(a^2 / 2) / u for a >= 0 as a polynomial in u = 1 / (1 + scale a). For floats its relative error is at
/// most 4e-8 over a <= 14.5 (iterated weighted least squares towards equal extremes), for doubles 4e-17 over a <= 39
/// (Chebyshev's points). Beyond, exp(-a^2 / 2) is 0.
template <typename Scalar>
struct NormalTail {
  static constexpr double scale = 0.2;
  static constexpr std::array<double, 22> values{
      0.0797884560895617562, 0.0797884554673577072,   0.0765969365924081837, 0.0702134877601153226,
      0.0610268215790446809, 0.0497437557286279163,   0.0379081451497480784, 0.0237672938644905724,
      0.0236761431927830452, -0.0247842498194973011,  0.0967301310421579675, -0.234702682584248228,
      0.464173837175175958,  -0.757078003480022245,   0.986416875647267391,  -1.02260515483248455,
      0.824869152874135897,  -0.499195698276867781,   0.21708270667069917,   -0.0638820889818486393,
      0.0113988860987139144, -0.000933206957318814896};
  template <std::size_t n>
  static constexpr double at = values[n];
};
template <>
struct NormalTail<float> {
  static constexpr double scale = 0.35;
  static constexpr std::array<double, 9> values{0.139621309327,  0.139863467211,   0.119821676698,
                                                0.105550796745,  -0.0232078982156, 0.159312572564,
                                                -0.255832174708, 0.144027317109,   -0.0291570826572};
  template <std::size_t n>
  static constexpr double at = values[n];
};

/// Phi(x), the standard normal distribution, of SIMD vectors; `bell` is exp(-x^2 / 2).
template <typename V>
V normal_distribution(const V& x, const V& bell) {
  using Tail = NormalTail<internal::LaneOf<V>>;
  const V zero = constant<V>(0);
  const V one = constant<V>(1);
  const V u = one / (one + constant<V>(Tail::scale) * select(x < zero, -x, x));
  const V tail = bell * u * internal::polynomial<Tail, Tail::values.size()>(u);
  return select(x < zero, tail, one - tail);
}

}  // namespace detail

/// y = x Phi(x), Phi the standard normal distribution; torch.nn.GELU (the exact form). Hendrycks and Gimpel,
/// arXiv:1606.08415. On SIMD vectors Phi is a polynomial times exp(-x^2 / 2), and the value's relative error is at most
/// 8 + x^2 / 2 units in the last place.
struct GELU {
  static constexpr std::string_view name = "GELU";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    if constexpr (std::is_arithmetic_v<T>) {
      return x * distribution(x);
    } else {
      return x * detail::normal_distribution(x, bell(x));
    }
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T x, T /*y*/) {
    constexpr double inverse_sqrt_two_pi = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    const T height = bell(x);
    const T density = height * constant<T>(inverse_sqrt_two_pi);
    if constexpr (std::is_arithmetic_v<T>) {
      return distribution(x) + x * density;
    } else {
      return detail::normal_distribution(x, height) + x * density;
    }
  }

 private:
  template <typename T>
  RETORT_HOST_DEVICE static T bell(T x) {
    using std::exp;
    return exp(x * x * constant<T>(-0.5));
  }

  template <typename T>
  RETORT_HOST_DEVICE static T distribution(T x) {
    return std::erfc(x * (T{-1} / std::numbers::sqrt2_v<T>)) / T{2};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
