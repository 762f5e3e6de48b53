// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The hyperbolic tangent.

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/series.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

struct TanhNumerator {
  static constexpr std::array<double, 5> values{0.999999979137, 0.133796830757, 0.00349399275463, 2.0582788745e-05,
                                                1.33181228534e-08};
  template <std::size_t n>
  static constexpr double at = values[n];
};

struct TanhDenominator {
  static constexpr std::array<double, 5> values{1.0, 0.467129983597, 0.0258709150434, 0.000328302413636,
                                                7.76162785355e-07};
  template <std::size_t n>
  static constexpr double at = values[n];
};

/// tanh(x) of SIMD vectors of floats, within 4 units in the last place, never beyond -1 and 1; NaN stays NaN. The
/// polynomials in x^2 are a fit of tanh(x) / x over |x| <= 9.02, where tanh rounds to 1, with a largest relative error
/// of 2.2e-8 (iterated weighted least squares towards equal extremes).
template <typename V>
V tanh_of_floats(const V& x) {
  const V one = constant<V>(1);
  const V end = constant<V>(9.02);
  const V inside = select(x > end, end, select(x < -end, -end, x));
  const V square = inside * inside;
  const V y =
      inside * internal::polynomial<TanhNumerator, 5>(square) / internal::polynomial<TanhDenominator, 5>(square);
  return select(y > one, one, select(y < -one, -one, y));
}

}  // namespace detail

/// y = tanh(x); torch.nn.Tanh.
struct Tanh {
  static constexpr std::string_view name = "Tanh";
  static constexpr bool takes_vectors = true;

  template <typename T>
  RETORT_HOST_DEVICE static T value(T x) {
    if constexpr (!std::is_arithmetic_v<T> && std::is_same_v<internal::LaneOf<T>, float>) {
      return detail::tanh_of_floats(x);
    } else {
      using std::tanh;
      return tanh(x);
    }
  }

  template <typename T>
  RETORT_HOST_DEVICE static T derivative(T /*x*/, T y) {
    return constant<T>(1) - y * y;
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
