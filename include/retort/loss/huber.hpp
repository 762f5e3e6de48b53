// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The distance to real targets, squared where it is short: targets far off pull no harder than near ones.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// x^2 / 2 up to |x| = delta, and delta (|x| - delta / 2) beyond.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar huber(Scalar x, Scalar delta) {
  const Scalar size = x < 0 ? -x : x;
  return size > delta ? delta * (size - delta / 2) : x * x / 2;
}

/// Its derivative: x, but not beyond delta.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar huber_slope(Scalar x, Scalar delta) {
  return x < -delta ? -delta : x > delta ? delta : x;
}

}  // namespace internal

/// With outputs s, targets y, K outputs and d = s - y, PyTorch's HuberLoss:
///
///   L = sum_k h(d_k) / K, h(d) = d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)
///   dL/ds = clamp(d, -delta, delta) / K
///
/// Huber, "Robust estimation of a location parameter" (1964).
struct Huber {
  static constexpr std::string_view name = "Huber";
  static constexpr bool needs_teacher = false;
  static constexpr Metric metric = Metric::rmse;

  double delta = 1.0;  ///< distances up to it count squared, in the units of the targets

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"delta", &Huber::delta, allowed::above_zero}};
  }

  /// One sample; see the concept Loss. The teacher is not read.
  template <std::size_t Outputs, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> /*teacher*/,
                                Targets<Scalar> targets, Scalar gradient_scale, Scalar* gradient) const {
    const Scalar share = Scalar{1} / static_cast<Scalar>(Outputs);
    const Scalar slope = gradient_scale * share;
    const Scalar most = static_cast<Scalar>(delta);
    Scalar sum = 0;
    for (std::size_t k = 0; k < Outputs; ++k) {
      const Scalar difference = student.values[k] - targets.values[k];
      sum += internal::huber(difference, most);
      gradient[k] = slope * internal::huber_slope(difference, most);
    }
    return share * sum;
  }

  friend bool operator==(const Huber&, const Huber&) = default;
};

static_assert(Loss<Huber>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
