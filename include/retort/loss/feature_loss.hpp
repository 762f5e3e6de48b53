// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses with a term that is no function of one row of logits: it compares a hidden layer of the student with one of
/// the teacher, or looks at a whole batch.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/teacher_temperatures.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One sample's features, (Width), which the student's regressor gives: as wide as the teacher's.
template <typename Scalar>
struct StudentFeatures {
  const Scalar* values;
};

/// One sample's features of the teacher, (Width).
template <typename Scalar>
struct TeacherFeatures {
  const Scalar* values;
};

/// A term T of a loss has
/// - `T::name` and hyperparameters, like a Loss,
/// - `T::student_layer` and `T::teacher_layer`, indices into the two models: it compares the outputs of these layers.
///   The student's is not in the middle of a run of pointwise layers, and not the model's last; the teacher's is none
///   of the pointwise layers before its first sized one,
/// - `T::Regressor<Student, Teacher>`, a Model without running statistics that is trained with the student: from the
///   width of the student's layer to that of the teacher's,
/// - `term.template row<Width>(student, teacher, gradient_scale, gradient)`, callable on host and device: it returns
///   what a sample adds to the loss and writes gradient_scale * d term / d student features to
///   gradient[0 ... Width - 1].
///
/// It may have `term.at_epoch(epoch)`, like a Loss. A term without a regressor, or of more than one sample, is a
/// BatchTerm.
template <typename T>
concept FeatureTerm = std::copyable<T> && Configured<T> && requires(const T& term, const float* in, float* gradient) {
  { T::name } -> std::convertible_to<std::string_view>;
  { T::student_layer } -> std::convertible_to<std::size_t>;
  { T::teacher_layer } -> std::convertible_to<std::size_t>;
  requires Model<typename T::template Regressor<3, 5>>;
  {
    term.template row<5>(StudentFeatures<float>{in}, TeacherFeatures<float>{in}, 1.0f, gradient)
  } -> std::same_as<float>;
};

/// What WithTerm adds to a loss of logits.
template <typename T>
concept LossTerm = FeatureTerm<T> || BatchTerm<T>;

/// The sum of a loss of logits and a term on hidden layers or on whole batches: `WithTerm{HintonLoss{.temperature = 3},
/// Hint<1, 3>{}}`. It trains on every backend, by single operations. With a term on hidden layers its teacher is a
/// network, whose model a Sweep has to be told.
template <Loss L, LossTerm T>
struct WithTerm {
  static_assert(!requires { typename L::Term; }, "retort: a loss has one term, and WithTerm has a loss of logits");
  static_assert(
      !takes_targets<L> || !requires { requires T::of_classes; },
      "retort: this term compares probabilities of classes: expected a loss of labels, not of targets");

  static constexpr std::string_view name = "WithTerm";
  static constexpr bool needs_teacher = true;
  static constexpr Metric metric = metric_of<L>;
  using Term = T;

  L loss{};
  T term{};

  /// Throws OptionError for a hyperparameter of the loss or the term.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(loss);
    validate_in<Scalar>(term);
  }

  [[gnu::cold]] std::string describe() const {
    std::string text = concatenate({describe_settings(loss), " + ", describe_settings(term)});
    if constexpr (ComparesLayers<T>) {
      text += concatenate({" of layer ", T::student_layer, " beside the teacher's layer ", T::teacher_layer});
    }
    return text;
  }

  /// See the concept Loss.
  WithTerm at_epoch(std::size_t epoch) const { return {loss_at_epoch(loss, epoch), loss_at_epoch(term, epoch)}; }

  /// See the concept Loss. The term is the same whatever the label.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L>
  {
    return true;
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const
    requires retort::takes_targets<L>
  {
    return retort::reads_targets(loss);
  }

  /// See retort::simplified.
  constexpr WithTerm simplified() const { return {retort::simplified(loss), term}; }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return temperatures_of_both(retort::teacher_temperatures(loss), retort::teacher_temperatures(term));
  }

  /// One sample's logits; see the concept Loss.
  template <std::size_t Classes, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher,
                                internal::TruthOf<L, Scalar> truth, Scalar gradient_scale, Scalar* gradient) const {
    return loss.template row<Classes>(student, teacher, truth, gradient_scale, gradient);
  }

  friend bool operator==(const WithTerm&, const WithTerm&) = default;
};
template <Loss L, LossTerm T>
WithTerm(L, T) -> WithTerm<L, T>;

/// A loss with a term.
template <typename L>
concept FeatureLoss = Loss<L> && requires { requires LossTerm<typename L::Term>; };

/// A loss with a term on whole batches.
template <typename L>
concept BatchLoss = Loss<L> && requires { requires BatchTerm<typename L::Term>; };

}  // namespace retort::inline RETORT_INSTRUCTION_SET
