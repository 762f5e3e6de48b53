// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Any loss with a weight for each class, for classes of very different size.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// w[label] times the loss `L`, and so its gradient. A batch's loss is the mean over its rows, sum_i w[label_i] l_i /
/// n. PyTorch's CrossEntropyLoss(weight=w) divides by the weights in the batch, sum_i w[label_i], instead of by n. The
/// two are equal where the batch's weights have the mean 1; so they are over the whole training set if the weights are
/// normalised so (data::normalized_class_weights, data::balanced_class_weights), and this one then is the unbiased
/// estimate of the training set's loss. Evaluations stay unweighted. A sample without a label has the weight 1, the
/// mean of normalised weights.
///
///     const auto weights = data::balanced_class_weights<3>(train);
///     Trainer{network, ClassWeighted{CrossEntropy{}, weights}, Adam{}}.fit(train);
template <Loss L, std::size_t ClassCount>
class ClassWeighted {
  static_assert(!FeatureLoss<L>, "retort: weigh the loss of logits: WithTerm{ClassWeighted{...}, term}");
  static_assert(!takes_targets<L>, "retort: ClassWeighted weighs classes: expected a loss of labels");

 public:
  static constexpr std::string_view name = "ClassWeighted";
  static constexpr bool needs_teacher = L::needs_teacher;

  /// `weights`: finite, 0 or more, not all 0; see `validate`.
  constexpr ClassWeighted(L loss, const std::array<double, ClassCount>& weights) : loss_(std::move(loss)) {
    std::copy(weights.begin(), weights.end(), weights_);
  }

  /// The loss whose values are weighted.
  L& loss() { return loss_; }
  const L& loss() const { return loss_; }

  /// Throws OptionError for a weight outside its range and for the loss's own hyperparameters, and if Scalar cannot
  /// compute with them.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(loss_);
    const Range range{"a finite number, 0 or more",
                      [](const double& x) { return internal::is_finite_float(x) && x >= 0; }, allowed::zero_or_normal};
    double sum = 0;
    for (std::size_t label = 0; label < ClassCount; ++label) {
      require_in<Scalar>(range, name, concatenate({"the weight of class ", label}), weights_[label]);
      sum += weights_[label];
    }
    if (!(sum > 0)) {
      throw OptionError(concatenate({name, ": every weight is 0, expected one above 0"}));
    }
  }

  [[gnu::cold]] std::string describe() const {
    std::string text = concatenate({name, "(loss=", describe_settings(loss_), ", weights="});
    for (std::size_t label = 0; label < ClassCount; ++label) {
      text += concatenate({label == 0 ? "" : " ", weights_[label]});
    }
    return text += ')';
  }

  /// See the concept Loss.
  ClassWeighted at_epoch(std::size_t epoch) const {
    ClassWeighted result = *this;
    result.loss_ = loss_at_epoch(loss_, epoch);
    return result;
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L>
  {
    return loss_.learns_without_label();
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return retort::reads_teacher(loss_); }

  /// See retort::simplified.
  ClassWeighted simplified() const {
    ClassWeighted result = *this;
    result.loss_ = retort::simplified(loss_);
    return result;
  }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return retort::teacher_temperatures(loss_);
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, std::uint32_t label,
                                Scalar gradient_scale, Scalar* gradient) const {
    static_assert(Classes == ClassCount, "retort: ClassWeighted wants a weight for each of the model's outputs");
    const auto weight = static_cast<Scalar>(internal::is_class<Classes>(label) ? weights_[label] : 1.0);
    return weight * loss_.template row<Classes>(student, teacher, label, weight * gradient_scale, gradient);
  }

  friend bool operator==(const ClassWeighted&, const ClassWeighted&) = default;

 private:
  L loss_;
  double weights_[ClassCount];  // a plain array, for device compilers
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
