// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Hinton's loss for several yes/no questions about a sample: the student matches each of the teacher's softened
/// probabilities.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/binary_cross_entropy.hpp"
#include "retort/loss/binary_divergence.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// HintonLoss (loss/hinton.hpp) with a sigmoid for each output in place of a softmax over all. With student logits s,
/// teacher logits t, targets y in [0, 1], temperature T, hard weight w, K outputs, p = sigmoid(t / T) and
/// q = sigmoid(s / T):
///
///   L = w BinaryCrossEntropy(s, y) + (1 - w) T^2 sum_k KL(p_k || q_k) / K
///   dL/ds = w (sigmoid(s) - y) / K + (1 - w) T (q - p) / K
///
/// KL(p || q) = p log(p / q) + (1 - p) log((1 - p) / (1 - q)), so that with w = 0 the loss is exactly 0 where the
/// student matches the teacher. The soft term and its gradient are right relative to their own size.
struct BinaryHintonLoss {
  static constexpr std::string_view name = "BinaryHintonLoss";
  static constexpr bool needs_teacher = true;
  static constexpr Metric metric = Metric::exact_match;

  double temperature = 2.0;  ///< T
  double hard_weight = 0.1;  ///< w: the share of the targets; 1 is exactly BinaryCrossEntropy, 0 reads none

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &BinaryHintonLoss::temperature, allowed::temperature},
                      Hyperparameter{"hard_weight", &BinaryHintonLoss::hard_weight, allowed::zero_to_one}};
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const { return hard_weight > 0.0; }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return hard_weight < 1.0; }

  /// With hard weight 1 no temperature is used. See retort::simplified.
  constexpr BinaryHintonLoss simplified() const {
    return hard_weight == 1.0 ? BinaryHintonLoss{.hard_weight = 1.0} : *this;
  }

  /// One sample; see the concept Loss.
  template <std::size_t Outputs, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Targets<Scalar> targets,
                                Scalar gradient_scale, Scalar* gradient) const {
    const Scalar hard = static_cast<Scalar>(hard_weight);
    const Scalar value =
        hard * BinaryCrossEntropy{}.row<Outputs>(student, teacher, targets, hard * gradient_scale, gradient);
    if (hard_weight == 1.0) {
      return value;
    }
    const Scalar t = static_cast<Scalar>(temperature);
    const Scalar share = static_cast<Scalar>(1.0 - hard_weight) / static_cast<Scalar>(Outputs);
    Scalar divergence = 0;
    for (std::size_t k = 0; k < Outputs; ++k) {
      Scalar difference;
      divergence +=
          internal::binary_divergence(teacher.values[k] / t, (student.values[k] - teacher.values[k]) / t, difference);
      gradient[k] += gradient_scale * share * t * difference;
    }
    return value + share * t * t * divergence;
  }

  friend bool operator==(const BinaryHintonLoss&, const BinaryHintonLoss&) = default;
};

static_assert(Loss<BinaryHintonLoss>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
