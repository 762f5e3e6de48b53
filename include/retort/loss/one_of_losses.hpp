// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A loss of one of several types, chosen at run time.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/metric.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// A value of each type. Plain members, which a device can read.
template <Loss First, Loss... Rest>
struct LossList {
  using FirstLoss = First;

  First first{};
  LossList<Rest...> rest{};

  /// function(loss) with loss `index`.
  template <typename Function>
  constexpr auto visit(std::size_t index, const Function& function) const {
    return index == 0 ? function(first) : rest.visit(index - 1, function);
  }
  template <typename Function>
  constexpr void change(std::size_t index, const Function& function) {
    index == 0 ? function(first) : rest.change(index - 1, function);
  }

  /// That of loss `index`; not by visit(), whose functions are the host's.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(std::size_t index, StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher,
                                const Label& label, Scalar gradient_scale, Scalar* gradient) const {
    return index == 0 ? first.template row<Classes>(student, teacher, label, gradient_scale, gradient)
                      : rest.template row<Classes>(index - 1, student, teacher, label, gradient_scale, gradient);
  }

  friend bool operator==(const LossList&, const LossList&) = default;
};
template <Loss Last>
struct LossList<Last> {
  using FirstLoss = Last;

  Last first{};

  template <typename Function>
  constexpr auto visit(std::size_t /*index*/, const Function& function) const {
    return function(first);
  }
  template <typename Function>
  constexpr void change(std::size_t /*index*/, const Function& function) {
    function(first);
  }
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(std::size_t /*index*/, StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher,
                                const Label& label, Scalar gradient_scale, Scalar* gradient) const {
    return first.template row<Classes>(student, teacher, label, gradient_scale, gradient);
  }

  friend bool operator==(const LossList&, const LossList&) = default;
};

}  // namespace internal

/// One of `Losses`, which differ in type: what a Sweep over losses trains with. The first unless another is given:
///
///     using SomeLoss = OneOfLosses<CrossEntropy, HintonLoss, Dkd>;
///     const std::vector<SweepSetting<SomeLoss>> settings{{.loss = CrossEntropy{}}, {.loss = Dkd{.beta = 4}}};
///
/// It trains, checks and describes itself as that loss alone. It asks for a teacher if one of `Losses` does, and for
/// labels unless all of them can learn without.
template <Loss... Losses>
class OneOfLosses {
  static_assert(sizeof...(Losses) > 0, "retort: OneOfLosses wants at least one loss");
  static_assert((!FeatureLoss<Losses> && ...),
                "retort: choose between losses of logits: WithTerm{OneOfLosses{}, term}");

  template <typename L>
  static constexpr std::size_t count = (std::size_t{std::is_same_v<L, Losses>} + ...);
  static_assert(((count<Losses> == 1) && ...), "retort: OneOfLosses wants each type of loss once");
  using FirstLoss = typename internal::LossList<Losses...>::FirstLoss;
  static_assert(((metric_of<Losses> == metric_of<FirstLoss>) && ...),
                "retort: OneOfLosses wants losses of labels, of real targets, or of yes/no targets, not of two kinds");

 public:
  static constexpr std::string_view name = "OneOfLosses";
  static constexpr Metric metric = metric_of<FirstLoss>;
  static constexpr bool needs_teacher = (Losses::needs_teacher || ...);
  static constexpr bool takes_vectors = (retort::takes_vectors<Losses> && ...);

  OneOfLosses() = default;
  /// `loss` is of one of the types.
  template <typename L>
    requires(count<L> == 1)
  constexpr OneOfLosses(const L& loss) {  // NOLINT(google-explicit-constructor): as std::variant
    constexpr bool is_it[] = {std::is_same_v<L, Losses>...};
    index_ = static_cast<std::size_t>(std::ranges::find(is_it, true) - is_it);
    losses_.change(index_, [&]<typename Own>(Own& own) {
      if constexpr (std::is_same_v<Own, L>) {
        own = loss;
      }
    });
  }

  /// function(loss) with the chosen one. `function` returns the same type for each type of loss.
  template <typename Function>
  constexpr auto visit(const Function& function) const {
    return losses_.visit(index_, function);
  }

  /// Throws OptionError for a hyperparameter of the chosen one.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    visit([](const auto& loss) { validate_in<Scalar>(loss); });
  }

  [[gnu::cold]] std::string describe() const {
    return visit([](const auto& loss) { return describe_settings(loss); });
  }

  /// See the concept Loss.
  OneOfLosses at_epoch(std::size_t epoch) const {
    OneOfLosses result = *this;
    result.losses_.change(index_, [&](auto& loss) { loss = loss_at_epoch(loss, epoch); });
    return result;
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires(TakesUnlabelled<Losses> && ...)
  {
    return visit([](const auto& loss) { return loss.learns_without_label(); });
  }

  /// See the concept Loss.
  constexpr bool reads_targets() const
    requires retort::takes_targets<FirstLoss>
  {
    return visit([](const auto& loss) { return retort::reads_targets(loss); });
  }

  /// See retort::simplified.
  OneOfLosses simplified() const {
    OneOfLosses result = *this;
    result.losses_.change(index_, [](auto& loss) { loss = retort::simplified(loss); });
    return result;
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const {
    return visit([](const auto& loss) { return retort::reads_teacher(loss); });
  }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return visit([](const auto& loss) { return retort::teacher_temperatures(loss); });
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    return losses_.template row<Classes>(index_, student, teacher, label, gradient_scale, gradient);
  }

  friend bool operator==(const OneOfLosses&, const OneOfLosses&) = default;

 private:
  std::size_t index_ = 0;
  internal::LossList<Losses...> losses_{};
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
