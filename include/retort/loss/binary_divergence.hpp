// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Kullback-Leibler divergence between two distributions over two classes, from the logarithm of their odds.

#include <cmath>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/series.hpp"
#include "retort/core/vector_math.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// With p = 1 / (1 + exp(-log_odds)) and q = 1 / (1 + exp(-log_odds - change)), returns
/// p log(p / q) + (1 - p) log((1 - p) / (1 - q)), never below 0, and writes difference = q - p. Both are right relative
/// to their own size, which may be tiny: a caller that knows `change` better than the two odds passes it here.
///
/// Let m be the smaller of p and 1 - p, and e = change or -change, by which its odds grow. The other class is the
/// origin of softmax_divergence.hpp's formula, so Y = m (exp(e) - 1), and the divergence is
/// m (exp(e) - 1 - e) - (Y - log(1 + Y)). Where e is not small it is computed from the logarithms.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar binary_divergence(Scalar log_odds, Scalar change, Scalar& difference) {
  using std::exp;
  using std::log;
  const Scalar zero = constant<Scalar>(0);
  const Scalar one = constant<Scalar>(1);
  const auto is_likely = log_odds > zero;
  const Scalar distance = select(is_likely, -log_odds, log_odds);  // log(m / (1 - m)), at most 0
  const Scalar e = select(is_likely, -change, change);
  const Scalar odds = exp(distance);
  const Scalar major = quotient(one, one + odds);
  const Scalar minor = odds * major;

  const auto is_near = e * e < constant<Scalar>(0.25);  // what the series take
  const Scalar rest = internal::exp_minus_linear(select(is_near, e, zero));
  const Scalar near_growth = e + rest;  // exp(e) - 1
  const Scalar total = minor * near_growth;
  const Scalar near_value = minor * rest - internal::linear_minus_log(select(is_near, total, zero));
  const Scalar near_difference = quotient(total * major, one + total);

  // log(1 + Y), of the logarithms of m exp(e) and 1 - m.
  const Scalar log_major = -log(one + odds);
  const Scalar log_grown = distance + log_major + e;
  const auto is_grown = log_grown > log_major;
  const Scalar gap = select(is_grown, log_major - log_grown, log_grown - log_major);
  const Scalar log_sum = select(is_grown, log_grown, log_major) + log(one + exp(gap));
  const Scalar far_value = log_sum - minor * e;
  const Scalar far_difference = exp(log_grown - log_sum) - minor;

  const Scalar of_minor = select(is_near, near_difference, far_difference);
  difference = select(is_likely, -of_minor, of_minor);
  const Scalar value = select(is_near, near_value, far_value);
  return select(value < zero, zero, value);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
