// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Distillation without a temperature: the student's logits are the teacher's.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Kim et al., "Comparing Kullback-Leibler divergence and mean squared error loss in knowledge distillation", IJCAI
/// 2021, arXiv:2105.08919. With student logits s, teacher logits t and hard weight w:
///
///   L = w CE(s, label) + (1 - w) sum_k (s_k - t_k)^2
///   dL/ds = w (softmax(s) - onehot(label)) + 2 (1 - w) (s - t)
///
/// By default w = 0, which the paper found best, and no label is read. It is the one loss here that sees a constant
/// added to all of a row's logits. Value and gradient have the precision of s_k - t_k. Both are finite as long as the
/// squares of these differences are.
struct LogitMatching {
  static constexpr std::string_view name = "LogitMatching";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;

  double hard_weight = 0.0;  ///< w: the share of the labels; 1 is exactly CrossEntropy, 0 reads no label

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"hard_weight", &LogitMatching::hard_weight, allowed::zero_to_one}};
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const { return hard_weight < 1.0; }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return hard_weight < 1.0; }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    const Scalar slope = gradient_scale * constant<Scalar>(2.0 * (1.0 - hard_weight));
    Scalar squares = constant<Scalar>(0);
    for (std::size_t k = 0; k < Classes; ++k) {
      const Scalar difference = student.values[k] - teacher.values[k];
      squares += difference * difference;
      gradient[k] = slope * difference;
    }
    const Scalar value = constant<Scalar>(1.0 - hard_weight) * squares;
    return internal::add_cross_entropy<Classes>(hard_weight, student, label, gradient_scale, value, gradient);
  }

  friend bool operator==(const LogitMatching&, const LogitMatching&) = default;
};

static_assert(Loss<LogitMatching>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
