// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Any loss on standardised logits, so that a small student need not reach the size of its teacher's logits.

#include <cstddef>
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
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Sun et al., "Logit standardization in knowledge distillation", CVPR 2024, arXiv:2403.01427. The loss `L` of Z(s) and
/// Z(t) in place of the logits s and t of student and teacher:
///
///   Z(x) = (x - mean x) / (sigma + e), sigma^2 = sum_k (x_k - mean x)^2 / (Classes - 1), e = 1e-7
///   dL/ds = (G - mean G) / (sigma + e) - Z <G, Z> / (sigma (Classes - 1)), where G = dL/dZ
///
/// The paper's loss, with the cross-entropy of the logits as they are:
///
///     0.1 * CrossEntropy{} + 9.0 * StandardizedLogits{HintonLoss{.temperature = 2, .hard_weight = 0}}
///
/// It reads its teacher at no temperature of the logits themselves (teacher_temperatures): `sigma` differs from row to
/// row. Of equal logits Z is 0, and so is the gradient's second part. Finite as long as the squares of the differences
/// between a row's logits are. Three classes and more.
template <Loss L>
struct StandardizedLogits {
  static_assert(!FeatureLoss<L>,
                "retort: standardize the logits of a loss of logits: WithTerm{StandardizedLogits{...}, term}");
  static_assert(!takes_targets<L>,
                "retort: StandardizedLogits compares the logits of classes: expected a loss of labels");

  static constexpr std::string_view name = "StandardizedLogits";
  static constexpr bool needs_teacher = L::needs_teacher;
  static constexpr bool takes_vectors = retort::takes_vectors<L>;

  L loss{};

  /// Throws OptionError for a hyperparameter of the loss.
  template <typename Scalar = double>
  [[gnu::cold]] void validate() const {
    validate_in<Scalar>(loss);
  }

  [[gnu::cold]] std::string describe() const { return concatenate({name, "(loss=", describe_settings(loss), ")"}); }

  /// See the concept Loss.
  StandardizedLogits at_epoch(std::size_t epoch) const { return {loss_at_epoch(loss, epoch)}; }

  /// See the concept Loss.
  constexpr bool learns_without_label() const
    requires TakesUnlabelled<L>
  {
    return loss.learns_without_label();
  }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return retort::reads_teacher(loss); }

  /// See retort::simplified.
  constexpr StandardizedLogits simplified() const { return {retort::simplified(loss)}; }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    static_assert(Classes >= 3,
                  "retort: StandardizedLogits leaves of two logits their order alone: expected a model of three "
                  "classes or more");
    const Scalar zero = constant<Scalar>(0);
    const Scalar one = constant<Scalar>(1);
    const Scalar degrees = constant<Scalar>(static_cast<double>(Classes - 1));
    Scalar students[Classes];
    Scalar teachers[Classes];
    const Scalar deviation = standardize<Classes>(student.values, students);
    if constexpr (needs_teacher) {
      standardize<Classes>(teacher.values, teachers);
    }
    const Scalar value = loss.template row<Classes>(StudentLogits<Scalar>{students}, TeacherLogits<Scalar>{teachers},
                                                    label, gradient_scale, gradient);
    Scalar sum = zero;
    Scalar product = zero;  // <G, Z>
    for (std::size_t k = 0; k < Classes; ++k) {
      sum += gradient[k];
      product += gradient[k] * students[k];
    }
    const Scalar mean = sum * constant<Scalar>(1.0 / static_cast<double>(Classes));
    const Scalar inverse = quotient(one, deviation + constant<Scalar>(smallest_deviation));
    const Scalar slope = select(deviation > zero, quotient(product, deviation * degrees), zero);
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = (gradient[k] - mean) * inverse - students[k] * slope;
    }
    return value;
  }

  friend bool operator==(const StandardizedLogits&, const StandardizedLogits&) = default;

 private:
  static constexpr double smallest_deviation = 1e-7;

  /// Writes Z and returns sigma.
  template <std::size_t Classes, typename Scalar>
  RETORT_HOST_DEVICE static Scalar standardize(const Scalar* logits, Scalar* standardized) {
    const Scalar maximum = row_maximum<Classes>(logits);  // subtracted first: then equal logits deviate by 0 exactly
    Scalar sum = constant<Scalar>(0);
    for (std::size_t k = 0; k < Classes; ++k) {
      standardized[k] = logits[k] - maximum;
      sum += standardized[k];
    }
    const Scalar mean = sum * constant<Scalar>(1.0 / static_cast<double>(Classes));
    Scalar squares = constant<Scalar>(0);
    for (std::size_t k = 0; k < Classes; ++k) {
      standardized[k] = standardized[k] - mean;
      squares += standardized[k] * standardized[k];
    }
    const Scalar deviation = square_root(squares * constant<Scalar>(1.0 / static_cast<double>(Classes - 1)));
    const Scalar inverse = quotient(constant<Scalar>(1), deviation + constant<Scalar>(smallest_deviation));
    for (std::size_t k = 0; k < Classes; ++k) {
      standardized[k] = standardized[k] * inverse;
    }
    return deviation;
  }
};
template <Loss L>
StandardizedLogits(L) -> StandardizedLogits<L>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
