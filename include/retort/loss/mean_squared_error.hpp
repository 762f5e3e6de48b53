// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The squared distance to real targets.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// With outputs s, targets y and K outputs, PyTorch's MSELoss:
///
///   L = sum_k (s_k - y_k)^2 / K
///   dL/ds = 2 (s - y) / K
///
/// A mean over outputs, while LogitMatching is a sum. Value and gradient have the precision of s_k - y_k.
struct MeanSquaredError {
  static constexpr std::string_view name = "MeanSquaredError";
  static constexpr bool needs_teacher = false;
  static constexpr Metric metric = Metric::rmse;

  static constexpr auto hyperparameters() { return std::tuple{}; }

  /// One sample; see the concept Loss. The teacher is not read.
  template <std::size_t Outputs, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> /*teacher*/,
                                Targets<Scalar> targets, Scalar gradient_scale, Scalar* gradient) const {
    const Scalar share = Scalar{1} / static_cast<Scalar>(Outputs);
    const Scalar slope = gradient_scale * 2 * share;
    Scalar sum = 0;
    for (std::size_t k = 0; k < Outputs; ++k) {
      const Scalar difference = student.values[k] - targets.values[k];
      sum += difference * difference;
      gradient[k] = slope * difference;
    }
    return share * sum;
  }

  friend bool operator==(const MeanSquaredError&, const MeanSquaredError&) = default;
};

static_assert(Loss<MeanSquaredError>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
