// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One loss for the first epochs, another for the rest.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The loss `L` after `epochs` epochs of `Before`: the student settles on the labels before it hears the teacher. From
/// Kim, Bhalgat, Lee, Patel and Kwak, "QKD: Quantization-aware knowledge distillation", arXiv:1911.12491, where a
/// quantized student begins so, in its self-studying phase. Their second phase, which trains the teacher too, is not
/// here.
///
///     LossAfter{HintonLoss{.temperature = 2}, 10}                                  // 10 epochs of CrossEntropy
///     LossAfter{TowardsTeacher{Huber{}}, 10, MeanSquaredError{}}
///
/// A loss that changes from epoch to epoch counts them from its own beginning: `loss` from where `epochs` end.
///
/// A sample without a label has a part in the epochs of either loss as it has in that loss alone. So it adds nothing to
/// the epochs of CrossEntropy, where a batch's mean is still over all of its samples, and its soft term to those of
/// HintonLoss.
template <Loss L, Loss Before = CrossEntropy>
struct LossAfter {
  static_assert(!FeatureLoss<L> && !FeatureLoss<Before>,
                "retort: LossAfter takes losses of logits: WithTerm{LossAfter{...}, term}");
  static_assert(metric_of<L> == metric_of<Before>,
                "retort: LossAfter wants two losses of labels, of real targets, or of yes/no targets, not of two "
                "kinds: name the one before, as in LossAfter{BinaryHintonLoss{}, 10, BinaryCrossEntropy{}}");

  static constexpr std::string_view name = "LossAfter";
  static constexpr bool needs_teacher = L::needs_teacher || Before::needs_teacher;
  static constexpr Metric metric = metric_of<L>;
  static constexpr bool takes_vectors = retort::takes_vectors<L> && retort::takes_vectors<Before>;

  L loss{};
  std::size_t epochs = 10;  ///< of `before`; 0: `loss` from the first epoch on
  Before before{};

  /// Throws OptionError for a hyperparameter of either loss.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(loss);
    validate_in<Scalar>(before);
  }

  [[gnu::cold]] std::string describe() const {
    return concatenate(
        {name, "(loss=", describe_settings(loss), ", epochs=", epochs, ", before=", describe_settings(before), ")"});
  }

  /// See the concept Loss. The epochs of the result are those that are left.
  LossAfter at_epoch(std::size_t epoch) const {
    return epoch < epochs ? LossAfter{loss, epochs - epoch, loss_at_epoch(before, epoch)}
                          : LossAfter{loss_at_epoch(loss, epoch - epochs), 0, before};
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L> && TakesUnlabelled<Before>
  {
    return loss.learns_without_label() || (epochs > 0 && before.learns_without_label());
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const
    requires retort::takes_targets<L>
  {
    return retort::reads_targets(loss) || (epochs > 0 && retort::reads_targets(before));
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const {
    return retort::reads_teacher(loss) || (epochs > 0 && retort::reads_teacher(before));
  }

  /// See retort::simplified.
  constexpr LossAfter simplified() const {
    return {retort::simplified(loss), epochs, epochs > 0 ? retort::simplified(before) : Before{}};
  }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return temperatures_of_both(retort::teacher_temperatures(loss),
                                epochs > 0 ? retort::teacher_temperatures(before) : std::nullopt);
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    return epochs > 0 ? before.template row<Classes>(student, teacher, label, gradient_scale, gradient)
                      : loss.template row<Classes>(student, teacher, label, gradient_scale, gradient);
  }

  friend bool operator==(const LossAfter&, const LossAfter&) = default;
};
template <Loss L>
LossAfter(L) -> LossAfter<L>;
template <Loss L>
LossAfter(L, std::size_t) -> LossAfter<L>;
template <Loss L, Loss Before>
LossAfter(L, std::size_t, Before) -> LossAfter<L, Before>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
