// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Knowledge distillation as it was first defined: the student matches the teacher's softened probabilities.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/row_lanes.hpp"
#include "retort/loss/softmax_divergence.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", arXiv:1503.02531. With student logits s,
/// teacher logits t, temperature T, hard weight w, p = softmax(t / T) and q = softmax(s / T):
///
///   L = w CE(s, label) + (1 - w) T^2 sum_k p_k (log p_k - log q_k)
///   dL/ds = w (softmax(s) - onehot(label)) + (1 - w) T (q - p)
///
/// T^2 keeps the two terms' gradients comparable when T changes: the soft one tends to (s - t) / Classes for centred
/// logits as T grows. The teacher's own entropy is subtracted (a Kullback-Leibler divergence, not the paper's
/// cross-entropy; same gradient), so that with w = 0 the loss is exactly 0 where the student matches the teacher. The
/// soft term and its gradient are right relative to their own size, even if that is tiny (softmax_divergence.hpp).
///
/// A sample without a label has no hard term: its loss is the soft term, whose weight is still 1 - w, and a batch's
/// mean is over all of its samples. So the teacher's part of the gradient is the same as if all had labels.
struct HintonLoss {
  static constexpr std::string_view name = "HintonLoss";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;
  static constexpr bool shares_rows = true;

  double temperature = 4.0;  ///< T: higher shows more of how the teacher ranks the wrong classes
  double hard_weight = 0.1;  ///< w: the share of the labels; 1 is exactly CrossEntropy, 0 reads no label

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &HintonLoss::temperature, allowed::temperature},
                      Hyperparameter{"hard_weight", &HintonLoss::hard_weight, allowed::zero_to_one}};
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const { return hard_weight < 1.0; }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return hard_weight < 1.0; }

  /// With hard weight 1 no temperature is used. See retort::simplified.
  constexpr HintonLoss simplified() const { return hard_weight == 1.0 ? HintonLoss{.hard_weight = 1.0} : *this; }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return hard_weight < 1.0 ? std::optional(TeacherTemperatures{temperature, temperature}) : std::nullopt;
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label, typename Lanes = WholeRow>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient, const Lanes& lanes = {}) const {
    if (hard_weight == 1.0) {
      return CrossEntropy{}.row<Classes>(student, teacher, label, gradient_scale, gradient, lanes);
    }
    const Scalar t = constant<Scalar>(temperature);
    const Scalar soft_weight = constant<Scalar>(1.0 - hard_weight);
    const Scalar divergence =
        softmax_divergence<Classes>(student.values, teacher.values, quotient(constant<Scalar>(1), t), gradient, lanes);
    const Scalar factor = gradient_scale * soft_weight * t;
    for (std::size_t k = 0; k < Classes / Lanes::count; ++k) {
      gradient[k] = factor * gradient[k];
    }
    const Scalar soft_term = soft_weight * t * t * divergence;
    return internal::add_cross_entropy<Classes>(hard_weight, student, label, gradient_scale, soft_term, gradient,
                                                lanes);
  }

  friend bool operator==(const HintonLoss&, const HintonLoss&) = default;
};

static_assert(Loss<HintonLoss>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
