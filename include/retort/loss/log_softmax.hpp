// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Softmax of one row of logits at a temperature, without overflow: the arithmetic that the losses share. `Scalar` may
/// be a SIMD vector: then each of its lanes has a row.

#include <cmath>
#include <cstddef>

#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace allowed {

inline constexpr auto has_normal_square = [](const double& x, const ScalarLimits& of) {
  return is_finite(x * x) && x * x >= of.smallest && x * x <= of.largest;
};
inline constexpr Range temperature{
    "a finite number above 0",
    is_positive,
    {"a number between 1.1e-19 and 1.8e+19, of which float holds the square",
     "a number between 1.5e-154 and 1.3e+154, of which double holds the square", has_normal_square}};

}  // namespace allowed

/// Turns one row's logits x_k into log softmax(x / T)_k = (x_k - maximum) / T - log_sum.
template <typename Scalar>
struct SoftmaxNormalizer {
  Scalar maximum;  ///< max x_k, subtracted first so that no exponential overflows
  Scalar sum;      ///< sum_k exp((x_k - maximum) / T), in [1, Classes]
  Scalar log_sum;  ///< log(sum)
};

/// The largest of a row's logits, (Classes).
template <std::size_t Classes, typename Scalar>
RETORT_HOST_DEVICE Scalar row_maximum(const Scalar* logits) {
  Scalar maximum = logits[0];
  for (std::size_t k = 1; k < Classes; ++k) {
    maximum = select(logits[k] > maximum, logits[k], maximum);
  }
  return maximum;
}

/// Writes exponentials[k] = exp((x_k - max x) / T), (Classes), and returns their normalizer; softmax(x / T)_k is then
/// exponentials[k] / normalizer.sum. Each exponential is computed once. `exponentials` must not overlap `logits`.
///
/// A difference of two rows' probabilities is taken of quotients by the sums, not of products with their reciprocals: a
/// product inside a difference may be fused with it, and the difference of two equal rows would then no longer be
/// exactly zero. Where nothing depends on that, a Divisor may do, which multiplies on a device.
///
/// Of `lanes` that share the row each has its part of the logits and of the exponentials.
template <std::size_t Classes, typename Scalar, typename Lanes = WholeRow>
RETORT_HOST_DEVICE SoftmaxNormalizer<Scalar> softmax_exponentials(const Scalar* logits, Scalar inverse_temperature,
                                                                  Scalar* exponentials, const Lanes& lanes = {}) {
  using std::exp;
  using std::log;
  static_assert(Classes >= 2, "a loss over classes needs at least two of them");
  constexpr std::size_t own = Classes / Lanes::count;
  const Scalar maximum = lanes.largest(row_maximum<own>(logits));
  Scalar sum = constant<Scalar>(0);
  for (std::size_t k = 0; k < own; ++k) {
    exponentials[k] = exp((logits[k] - maximum) * inverse_temperature);
    sum += exponentials[k];
  }
  sum = lanes.sum(sum);
  return {maximum, sum, log(sum)};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
