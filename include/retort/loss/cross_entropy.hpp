// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Cross-entropy with the label: how a network is trained without a teacher.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// L = -sum_k target_k log softmax(s)_k, where target = (1 - e) onehot(label) + e / Classes with e = label_smoothing
/// (Szegedy et al., arXiv:1512.00567, section 7; PyTorch's definition, in which the label takes its share of e too).
/// Gradient: softmax(s) - target. Both are 0 for a sample without a label, so in a sum of losses such a sample has the
/// other terms alone; a batch's mean is still over all of its samples. A training by cross-entropy alone would not
/// learn from them and refuses them (data::labelled_part leaves them out).
struct CrossEntropy {
  static constexpr std::string_view name = "CrossEntropy";
  static constexpr bool needs_teacher = false;
  static constexpr bool takes_vectors = true;
  static constexpr bool shares_rows = true;

  double label_smoothing = 0.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"label_smoothing", &CrossEntropy::label_smoothing, allowed::zero_to_below_one}};
  }

  /// See the concept Loss.
  static constexpr bool learns_without_label() { return false; }

  /// One sample; see the concept Loss. The teacher is not read.
  template <std::size_t Classes, typename Scalar, typename Label, typename Lanes = WholeRow>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> /*teacher*/, Label label,
                                Scalar gradient_scale, Scalar* gradient, const Lanes& lanes = {}) const {
    constexpr std::size_t own = Classes / Lanes::count;
    const Scalar zero = constant<Scalar>(0);
    const auto is_labelled = internal::is_class<Classes>(label);
    const Scalar scale = select(is_labelled, gradient_scale, zero);
    const Scalar smoothing = constant<Scalar>(label_smoothing);
    const Scalar share = constant<Scalar>(label_smoothing / static_cast<double>(Classes));
    const Scalar label_target = constant<Scalar>(1.0 - label_smoothing);
    const auto normalizer = softmax_exponentials<Classes>(student.values, constant<Scalar>(1), gradient, lanes);
    Scalar sum_of_logits = zero;  // relative to the largest
    Scalar label_logit = zero;    // likewise
    const Divisor<Scalar> by_sum(normalizer.sum);
    for (std::size_t k = 0; k < own; ++k) {
      const auto is_label = label == constant<Label>(lanes.index() * own + k);
      const Scalar logit = student.values[k] - normalizer.maximum;
      sum_of_logits += logit;
      label_logit = select(is_label, logit, label_logit);
      const Scalar target = select(is_label, label_target, zero) + share;
      gradient[k] = scale * (by_sum.quotient_of(gradient[k]) - target);
    }
    const Scalar label_term = normalizer.log_sum - lanes.sum(label_logit);
    if (label_smoothing == 0.0) {
      return select(is_labelled, label_term, zero);  // the sum of the logits may have overflowed
    }
    const Scalar uniform_term =
        normalizer.log_sum - lanes.sum(sum_of_logits) * constant<Scalar>(1.0 / static_cast<double>(Classes));
    return select(is_labelled, label_target * label_term + smoothing * uniform_term, zero);
  }

  friend bool operator==(const CrossEntropy&, const CrossEntropy&) = default;
};

static_assert(Loss<CrossEntropy>);

namespace internal {

/// Adds weight * CrossEntropy to a row of another loss, whose value is `value` and whose gradient has been written:
/// returns the value of the sum, and adds to the gradient. With weight 0 it reads no label; a row without one keeps the
/// other loss alone.
template <std::size_t Classes, typename Scalar, typename Label, typename Lanes = WholeRow>
RETORT_HOST_DEVICE Scalar add_cross_entropy(double weight, StudentLogits<Scalar> student, Label label,
                                            Scalar gradient_scale, Scalar value, Scalar* gradient,
                                            const Lanes& lanes = {}) {
  constexpr std::size_t own = Classes / Lanes::count;
  if (weight == 0.0) {
    return value;
  }
  const Scalar factor = constant<Scalar>(weight);
  Scalar more[own];
  const Scalar its_value =
      CrossEntropy{}.row<Classes>(student, TeacherLogits<Scalar>{nullptr}, label, gradient_scale, more, lanes);
  for (std::size_t k = 0; k < own; ++k) {
    gradient[k] += factor * more[k];
  }
  return factor * its_value + value;
}

}  // namespace internal

}  // namespace retort::inline RETORT_INSTRUCTION_SET
