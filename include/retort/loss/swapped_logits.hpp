// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Any loss with a teacher that is set right where it is wrong.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/label_and_others.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The loss `L` with the teacher's logits, of which the largest and the label's have changed places: the teacher's
/// answer becomes the label, and it stays as sure as it was. From Limantoro et al., "Swapped logit distillation via
/// bi-level teacher alignment", arXiv:2504.20108, which swaps the student's logits too, as a second teacher; here the
/// teacher's alone. Of equal largest logits the first is meant; without a label nothing changes places. Precision is
/// that of the loss.
///
///     SwappedLogits{HintonLoss{.temperature = 4, .hard_weight = 0.1}}
template <Loss L>
struct SwappedLogits {
  static_assert(!FeatureLoss<L>, "retort: swap the logits of a loss of logits: WithTerm{SwappedLogits{...}, term}");
  static_assert(!takes_targets<L>, "retort: SwappedLogits swaps the logits of classes: expected a loss of labels");
  static_assert(L::needs_teacher, "retort: SwappedLogits swaps a teacher's logits: expected a loss that has a teacher");

  static constexpr std::string_view name = "SwappedLogits";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = retort::takes_vectors<L>;

  L loss{};

  /// Throws OptionError for a hyperparameter of the loss.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(loss);
  }

  [[gnu::cold]] std::string describe() const { return concatenate({name, "(loss=", describe_settings(loss), ")"}); }

  /// See the concept Loss.
  SwappedLogits at_epoch(std::size_t epoch) const { return {loss_at_epoch(loss, epoch)}; }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L>
  {
    return loss.learns_without_label();
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return retort::reads_teacher(loss); }

  /// See retort::simplified.
  constexpr SwappedLogits simplified() const { return {retort::simplified(loss)}; }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return retort::teacher_temperatures(loss);
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    const auto first = internal::first_class<Classes, Label>(teacher.values);
    const Label right = select(internal::is_class<Classes>(label), label, first.index);
    const Scalar of_right = internal::logit_of<Classes>(teacher.values, right);
    Scalar swapped[Classes];
    for (std::size_t k = 0; k < Classes; ++k) {
      swapped[k] = select(first.index == constant<Label>(k), of_right, teacher.values[k]);
      swapped[k] = select(right == constant<Label>(k), first.logit, swapped[k]);
    }
    return loss.template row<Classes>(student, TeacherLogits<Scalar>{swapped}, label, gradient_scale, gradient);
  }

  friend bool operator==(const SwappedLogits&, const SwappedLogits&) = default;
};
template <Loss L>
SwappedLogits(L) -> SwappedLogits<L>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
