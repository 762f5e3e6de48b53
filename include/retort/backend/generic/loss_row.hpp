// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A loss on one row of a batch: every backend does this for each sample, on any of its threads.

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The class of the largest of a row's logits (Classes); among equals the first. Of `lanes` that share the row each has
/// its part of the logits.
template <std::size_t Classes, typename Scalar, typename Lanes = WholeRow>
RETORT_HOST_DEVICE std::uint32_t predicted_class(const Scalar* logits, const Lanes& lanes = {}) {
  constexpr auto own = static_cast<std::uint32_t>(Classes / Lanes::count);
  std::uint32_t answer = 0;
  // A copy, since logits[answer] has an index known only at run time and would keep the logits out of a device's
  // registers.
  Scalar largest = logits[0];
  for (std::uint32_t k = 1; k < own; ++k) {
    if (logits[k] > largest) {
      largest = logits[k];
      answer = k;
    }
  }
  answer += lanes.index() * own;
  lanes.take_largest(largest, answer);
  return answer;
}

/// What a loss says of one row.
template <typename Scalar>
struct RowResult {
  Scalar loss;
  std::uint8_t correct;  // 1 where the answer is the label, else 0; so 0 without a label
};

/// The loss of one row of logits, (Classes), whose gradient it writes, and whether the answer was right. Every backend
/// calls it for each sample of a batch. `teacher` is null for a loss without one. Only a loss that states `shares_rows`
/// can be given several lanes.
template <std::size_t Classes, Loss L, typename Scalar, typename Lanes = WholeRow>
RETORT_HOST_DEVICE RowResult<Scalar> evaluate_row(const L& loss, const Scalar* student, const Scalar* teacher,
                                                  std::uint32_t label, Scalar gradient_scale, Scalar* gradient,
                                                  const Lanes& lanes = {}) {
  const auto value = [&](const auto&... shared) {
    return loss.template row<Classes>(StudentLogits<Scalar>{student}, TeacherLogits<Scalar>{teacher}, label,
                                      gradient_scale, gradient, shared...);
  };
  RowResult<Scalar> result;
  if constexpr (Lanes::count > 1) {
    result.loss = value(lanes);
  } else {
    result.loss = value();
  }
  result.correct = static_cast<std::uint8_t>(predicted_class<Classes>(student, lanes) == label ? 1 : 0);
  return result;
}

/// The same for a loss of targets, (Outputs), which are converted to Scalar; null for samples that have none.
template <std::size_t Outputs, Loss L, typename Scalar>
RETORT_HOST_DEVICE RowResult<Scalar> evaluate_targets(const L& loss, const Scalar* student, const Scalar* teacher,
                                                      const float* targets, Scalar gradient_scale, Scalar* gradient) {
  Scalar values[Outputs];
  bool is_right = metric_of<L> == Metric::exact_match && targets != nullptr;
  for (std::size_t k = 0; k < Outputs; ++k) {
    const float target = targets != nullptr ? targets[k] : 0.0f;
    values[k] = static_cast<Scalar>(target);
    is_right = is_right && (student[k] > 0) == (target > 0.5f);
  }
  const Scalar value = loss.template row<Outputs>(StudentLogits<Scalar>{student}, TeacherLogits<Scalar>{teacher},
                                                  Targets<Scalar>{values}, gradient_scale, gradient);
  return {value, static_cast<std::uint8_t>(is_right ? 1 : 0)};
}

/// Adds a row of logits, (Classes), to an evaluation: its cross-entropy, and 1 to the errors where the answer is wrong;
/// nothing without a label.
template <std::size_t Classes, typename Scalar, typename Count>
RETORT_HOST_DEVICE void add_evaluated_row(const Scalar* logits, std::uint32_t label, double& loss, Count& errors) {
  if (is_class<Classes>(label)) {
    Scalar unused_gradient[Classes];
    const auto result = evaluate_row<Classes>(CrossEntropy{}, logits, static_cast<const Scalar*>(nullptr), label,
                                              Scalar{0}, unused_gradient);
    loss += static_cast<double>(result.loss);
    errors += static_cast<Count>(1 - result.correct);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// For a row of the batch, writes its gradient, its loss and whether the answer was right.
template <Loss L, std::size_t Classes, typename Scalar>
struct LossRow {
  static_assert(check_vectors_of_loss<L, Classes>());
  static_assert(check_lanes_of_loss<L, Classes>());

  L loss;
  LossArguments<Scalar> arguments;
  Scalar gradient_scale;  // 1 / batch

  RETORT_HOST_DEVICE LossRow(const L& loss_of_rows, const LossArguments<Scalar>& loss_arguments)
      : loss(loss_of_rows),
        arguments(loss_arguments),
        gradient_scale(Scalar{1} / static_cast<Scalar>(loss_arguments.batch)) {}

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const std::size_t sample = arguments.samples[row];
    const Scalar* student = arguments.student + row * Classes;  // (classes)
    const Scalar* teacher = nullptr;
    if constexpr (L::needs_teacher) {
      teacher = arguments.teacher.logits + arguments.teacher.row_of(row, sample) * Classes;
    }
    const auto result = evaluate(sample, student, teacher, arguments.gradient + row * Classes);
    arguments.losses[row] = result.loss;
    arguments.correct[row] = result.correct;
  }

 private:
  RETORT_HOST_DEVICE internal::RowResult<Scalar> evaluate(std::size_t sample, const Scalar* student,
                                                          const Scalar* teacher, Scalar* gradient) const {
    if constexpr (takes_targets<L>) {
      const float* targets = arguments.targets != nullptr ? arguments.targets + sample * Classes : nullptr;
      return internal::evaluate_targets<Classes>(loss, student, teacher, targets, gradient_scale, gradient);
    } else {
      return internal::evaluate_row<Classes>(loss, student, teacher, arguments.labels[sample], gradient_scale,
                                             gradient);
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
