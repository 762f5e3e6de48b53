// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Distillation of real outputs: the teacher's answers in the place of the targets.

#include <cstddef>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A loss of real targets that takes the teacher's outputs for targets and reads no others, so that samples need none.
/// Beside the targets it makes a distillation:
///
///     0.3 * MeanSquaredError{} + 0.7 * TowardsTeacher{Huber{.delta = 0.5}}
template <Loss L>
struct TowardsTeacher {
  static_assert(metric_of<L> == Metric::rmse && !L::needs_teacher,
                "retort: TowardsTeacher wants a loss of real targets, such as MeanSquaredError or Huber; for yes/no "
                "targets there is BinaryHintonLoss");

  static constexpr std::string_view name = "TowardsTeacher";
  static constexpr bool needs_teacher = true;
  static constexpr Metric metric = Metric::rmse;

  L loss{};

  /// Throws OptionError for a hyperparameter of the loss.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(loss);
  }

  [[gnu::cold]] std::string describe() const { return concatenate({name, "(loss=", describe_settings(loss), ")"}); }

  /// See the concept Loss.
  TowardsTeacher at_epoch(std::size_t epoch) const { return {loss_at_epoch(loss, epoch)}; }

  /// See the concept Loss.
  static constexpr bool reads_targets() { return false; }

  /// See retort::simplified.
  constexpr TowardsTeacher simplified() const { return {retort::simplified(loss)}; }

  /// One sample; see the concept Loss.
  template <std::size_t Outputs, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher,
                                Targets<Scalar> /*targets*/, Scalar gradient_scale, Scalar* gradient) const {
    return loss.template row<Outputs>(student, teacher, Targets<Scalar>{teacher.values}, gradient_scale, gradient);
  }

  friend bool operator==(const TowardsTeacher&, const TowardsTeacher&) = default;
};
template <Loss L>
TowardsTeacher(L) -> TowardsTeacher<L>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
