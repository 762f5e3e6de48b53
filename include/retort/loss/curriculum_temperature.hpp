// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A temperature that changes from epoch to epoch.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The loss `L` with a temperature that goes from `from` in the first epoch to `to` after `epochs` of them, where it
/// stays: from + (to - from) x with x = min(e / epochs, 1) for epoch e = 0, 1, ..., or where `cosine` with (1 - cos(pi
/// x)) / 2 in place of x. The temperature of `loss` itself is not used.
///
///     CurriculumTemperature{HintonLoss{.hard_weight = 0.1}, 1.0, 4.0, 20}
///
/// A schedule, in the spirit of Li et al., "Curriculum temperature for knowledge distillation", AAAI 2023,
/// arXiv:2211.16231. There the temperature is learned against the student, by a reversed gradient, and it is this
/// gradient's size that a cosine lets grow; here nothing is learned.
template <Loss L>
struct CurriculumTemperature {
  static_assert(
      requires(L& loss) { loss.temperature = 1.0; },
      "retort: CurriculumTemperature wants a loss with a temperature of its own: put other wrappers around it");

  static constexpr std::string_view name = "CurriculumTemperature";
  static constexpr bool needs_teacher = L::needs_teacher;
  static constexpr Metric metric = metric_of<L>;
  static constexpr bool takes_vectors = retort::takes_vectors<L>;

  L loss{};
  double from = 1.0;
  double to = 4.0;
  std::size_t epochs = 10;  ///< above 0
  bool cosine = false;

  /// Throws OptionError for a temperature or a number of epochs outside its range, and for a hyperparameter of the
  /// loss.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    require_in<Scalar>(allowed::temperature, name, "from", from);
    require_in<Scalar>(allowed::temperature, name, "to", to);
    require_in<Scalar>(allowed::count_above_zero, name, "epochs", epochs);
    validate_in<Scalar>(at_epoch(0).loss);
  }

  [[gnu::cold]] std::string describe() const {
    return concatenate({name, "(loss=", describe_settings(loss), ", from=", from, ", to=", to, ", epochs=", epochs,
                        ", cosine=", cosine, ")"});
  }

  /// See the concept Loss.
  CurriculumTemperature at_epoch(std::size_t epoch) const {
    const double x = epoch < epochs ? static_cast<double>(epoch) / static_cast<double>(epochs) : 1.0;
    const double share = cosine ? (1.0 - std::cos(std::numbers::pi * x)) / 2.0 : x;
    CurriculumTemperature result = *this;
    result.loss = loss_at_epoch(loss, epoch);
    result.loss.temperature = (1.0 - share) * from + share * to;
    return result;
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L>
  {
    return loss.learns_without_label();
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const
    requires retort::takes_targets<L>
  {
    return retort::reads_targets(loss);
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return retort::reads_teacher(loss); }

  /// The loss's own temperature is not used, and where the loss uses none, neither are those that replace it. See
  /// retort::simplified.
  CurriculumTemperature simplified() const {
    const auto at = [&](double temperature) {
      L result = loss;
      result.temperature = temperature;
      return retort::simplified(result);
    };
    if (describe_settings(at(from)) == describe_settings(at(2.0 * from))) {
      return {.loss = at(from)};
    }
    CurriculumTemperature result = *this;
    result.loss = at(from);
    return result;
  }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    L first = loss;
    first.temperature = from;
    L last = loss;
    last.temperature = to;
    return temperatures_of_both(retort::teacher_temperatures(first), retort::teacher_temperatures(last));
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    return loss.template row<Classes>(student, teacher, label, gradient_scale, gradient);
  }

  friend bool operator==(const CurriculumTemperature&, const CurriculumTemperature&) = default;
};
template <Loss L, typename... Rest>
CurriculumTemperature(L, Rest...) -> CurriculumTemperature<L>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
