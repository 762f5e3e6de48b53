// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Weighted sums of losses: `0.3 * CrossEntropy{} + 0.7 * HintonLoss{.hard_weight = 0}` is a loss.

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

template <Loss A, Loss B>
struct SumOfLosses;

namespace internal {

template <typename L>
inline constexpr bool is_sum_of_losses = false;
template <Loss A, Loss B>
inline constexpr bool is_sum_of_losses<SumOfLosses<A, B>> = true;

/// Operands of the operators below. The first part rejects, cheaply, all the other types that retort multiplies and
/// adds.
template <typename L>
concept Summand = requires { L::needs_teacher; } && Loss<L>;

/// As an operand: a sum in brackets.
template <Loss L>
[[gnu::cold]] std::string describe_operand(const L& loss) {
  return is_sum_of_losses<L> ? concatenate({"(", describe_settings(loss), ")"}) : describe_settings(loss);
}

}  // namespace internal

/// weight * loss, value and gradient, made by `0.3 * CrossEntropy{}`. For a loss outside of retort's namespace write
/// `WeightedLoss{0.3, MyLoss{}}`, or `using retort::operator*`.
template <Loss L>
struct WeightedLoss {
  static_assert(!FeatureLoss<L>, "retort: weigh the loss of logits: WithTerm{0.5 * loss, term}");

  static constexpr std::string_view name = "WeightedLoss";
  static constexpr bool needs_teacher = L::needs_teacher;
  static constexpr Metric metric = metric_of<L>;
  static constexpr bool takes_vectors = retort::takes_vectors<L>;

  double weight = 1.0;  ///< finite, 0 or more
  L loss{};

  /// Throws OptionError for a weight outside its range, and for a hyperparameter of the loss.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    require_in<Scalar>(allowed::at_least_zero, name, concatenate({"the weight of ", L::name}), weight);
    validate_in<Scalar>(loss);
  }

  [[gnu::cold]] std::string describe() const { return concatenate({weight, " * ", internal::describe_operand(loss)}); }

  /// See the concept Loss.
  WeightedLoss at_epoch(std::size_t epoch) const { return {weight, loss_at_epoch(loss, epoch)}; }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L>
  {
    return weight > 0.0 && loss.learns_without_label();
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const
    requires retort::takes_targets<L>
  {
    return weight > 0.0 && retort::reads_targets(loss);
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return weight > 0.0 && retort::reads_teacher(loss); }

  /// With weight 0 nothing of the loss is used. See retort::simplified.
  constexpr WeightedLoss simplified() const {
    if constexpr (std::default_initializable<L>) {
      if (weight == 0.0) {
        return {0.0, L{}};
      }
    }
    return {weight, retort::simplified(loss)};
  }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return weight > 0.0 ? retort::teacher_temperatures(loss) : std::nullopt;
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    const Scalar factor = constant<Scalar>(weight);
    return factor * loss.template row<Classes>(student, teacher, label, factor * gradient_scale, gradient);
  }

  friend bool operator==(const WeightedLoss&, const WeightedLoss&) = default;
};
template <Loss L>
WeightedLoss(double, L) -> WeightedLoss<L>;

/// Two losses added up, made by `A{} + B{}`; more of them are sums of sums. It has a teacher if one of them has.
template <Loss A, Loss B>
struct SumOfLosses {
  static_assert(!FeatureLoss<A> && !FeatureLoss<B>, "retort: add losses of logits: WithTerm{a + b, term}");
  static_assert(metric_of<A> == metric_of<B>,
                "retort: add losses of labels, of real targets, or of yes/no targets, not of two kinds; towards a "
                "teacher's real outputs: TowardsTeacher{MeanSquaredError{}}");

  static constexpr std::string_view name = "SumOfLosses";
  static constexpr bool needs_teacher = A::needs_teacher || B::needs_teacher;
  static constexpr Metric metric = metric_of<A>;
  static constexpr bool takes_vectors = retort::takes_vectors<A> && retort::takes_vectors<B>;

  A first{};
  B second{};

  /// Throws OptionError for a hyperparameter of either.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(first);
    validate_in<Scalar>(second);
  }

  [[gnu::cold]] std::string describe() const {
    return concatenate({describe_settings(first), " + ", internal::describe_operand(second)});
  }

  /// See the concept Loss.
  SumOfLosses at_epoch(std::size_t epoch) const { return {loss_at_epoch(first, epoch), loss_at_epoch(second, epoch)}; }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<A> && TakesUnlabelled<B>
  {
    return first.learns_without_label() || second.learns_without_label();
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const
    requires retort::takes_targets<A>
  {
    return retort::reads_targets(first) || retort::reads_targets(second);
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return retort::reads_teacher(first) || retort::reads_teacher(second); }

  /// See retort::simplified.
  constexpr SumOfLosses simplified() const { return {retort::simplified(first), retort::simplified(second)}; }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return temperatures_of_both(retort::teacher_temperatures(first), retort::teacher_temperatures(second));
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    Scalar second_gradient[Classes];
    const Scalar of_first = first.template row<Classes>(student, teacher, label, gradient_scale, gradient);
    const Scalar of_second = second.template row<Classes>(student, teacher, label, gradient_scale, second_gradient);
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] += second_gradient[k];
    }
    return of_first + of_second;
  }

  friend bool operator==(const SumOfLosses&, const SumOfLosses&) = default;
};
template <Loss A, Loss B>
SumOfLosses(A, B) -> SumOfLosses<A, B>;

template <internal::Summand L>
constexpr WeightedLoss<L> operator*(double weight, L loss) {
  return {weight, std::move(loss)};
}

template <internal::Summand A, internal::Summand B>
constexpr SumOfLosses<A, B> operator+(A first, B second) {
  return {std::move(first), std::move(second)};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
