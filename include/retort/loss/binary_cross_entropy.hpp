// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Cross-entropy for several yes/no questions about a sample, each answered by a logit of its own.

#include <cmath>
#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// With logits s, targets y in [0, 1], K outputs and q = sigmoid(s), PyTorch's BCEWithLogitsLoss:
///
///   L = -sum_k (y_k log q_k + (1 - y_k) log(1 - q_k)) / K
///   dL/ds = (q - y) / K
///
/// Both are finite for every finite logit, and for targets of 0 and 1 right relative to their own size, however small.
struct BinaryCrossEntropy {
  static constexpr std::string_view name = "BinaryCrossEntropy";
  static constexpr bool needs_teacher = false;
  static constexpr Metric metric = Metric::exact_match;

  static constexpr auto hyperparameters() { return std::tuple{}; }

  /// One sample; see the concept Loss. The teacher is not read.
  template <std::size_t Outputs, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> /*teacher*/,
                                Targets<Scalar> targets, Scalar gradient_scale, Scalar* gradient) const {
    using std::exp;
    using std::log1p;
    const Scalar share = Scalar{1} / static_cast<Scalar>(Outputs);
    const Scalar slope = gradient_scale * share;
    Scalar sum = 0;
    for (std::size_t k = 0; k < Outputs; ++k) {
      const Scalar logit = student.values[k];
      const bool is_yes = logit > 0;
      const Scalar odds = exp(is_yes ? -logit : logit);  // of the less likely answer
      const Scalar log_of_both = log1p(odds);
      const Scalar likely = 1 / (1 + odds);
      const Scalar unlikely = odds * likely;
      // Each answer's own term, so that the small one is not lost beside the other.
      const Scalar yes = targets.values[k];
      const Scalar no = 1 - yes;
      sum += yes * ((is_yes ? 0 : -logit) + log_of_both) + no * ((is_yes ? logit : 0) + log_of_both);
      gradient[k] = slope * (no * (is_yes ? likely : unlikely) - yes * (is_yes ? unlikely : likely));
    }
    return share * sum;
  }

  friend bool operator==(const BinaryCrossEntropy&, const BinaryCrossEntropy&) = default;
};

static_assert(Loss<BinaryCrossEntropy>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
