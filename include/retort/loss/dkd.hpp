// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Decoupled knowledge distillation: the label's share and the ranking of all other classes, each with its own weight.

#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/binary_divergence.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/label_and_others.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/softmax_divergence.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Zhao et al., "Decoupled knowledge distillation", CVPR 2022, arXiv:2203.08679. With student logits s, teacher logits
/// t, label y, p = softmax(t / T), q = softmax(s / T), and p^, q^ the same over the classes k != y alone:
///
///   TCKD = p_y log(p_y / q_y) + (1 - p_y) log((1 - p_y) / (1 - q_y))
///   NCKD = sum_{k != y} p^_k (log p^_k - log q^_k)
///   L = label_weight CE(s, y) + T^2 (alpha TCKD + beta NCKD)
///   dL/ds_y = label_weight (softmax(s)_y - 1) + T alpha (q_y - p_y)
///   dL/ds_k = label_weight softmax(s)_k - T alpha (q_y - p_y) q^_k + T beta (q^_k - p^_k) for k != y
///
/// Hinton's soft term is TCKD + (1 - p_y) NCKD: a teacher that is sure silences the ranking, which beta gives back. In
/// epochs 1, 2, ... of a training alpha and beta are times min(epoch / warmup_epochs, 1), as in the authors' code.
/// Defaults are theirs for CIFAR-100. Both divergences are right relative to their own size, which is tiny at high
/// temperatures (softmax_divergence.hpp, binary_divergence.hpp). Three classes and more. All of it depends on
/// the label, so a training refuses samples without one.
struct Dkd {
  static constexpr std::string_view name = "Dkd";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;

  double temperature = 4.0;        ///< T
  double alpha = 1.0;              ///< weight of TCKD
  double beta = 8.0;               ///< weight of NCKD
  double label_weight = 1.0;       ///< weight of the label's cross-entropy
  std::size_t warmup_epochs = 20;  ///< until alpha and beta have grown to their values; 0: at once

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &Dkd::temperature, allowed::temperature},
                      Hyperparameter{"alpha", &Dkd::alpha, allowed::at_least_zero},
                      Hyperparameter{"beta", &Dkd::beta, allowed::at_least_zero},
                      Hyperparameter{"label_weight", &Dkd::label_weight, allowed::at_least_zero},
                      Hyperparameter{"warmup_epochs", &Dkd::warmup_epochs}};
  }

  /// See the concept Loss.
  Dkd at_epoch(std::size_t epoch) const { return internal::warmed_up(*this, epoch); }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return alpha > 0.0 || beta > 0.0; }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return reads_teacher() ? std::optional(TeacherTemperatures{temperature, temperature}) : std::nullopt;
  }

  /// Without both weights only the label's counts. See retort::simplified.
  constexpr Dkd simplified() const {
    return reads_teacher() ? *this : Dkd{.alpha = 0.0, .beta = 0.0, .label_weight = label_weight};
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    static_assert(Classes >= 3,
                  "retort: Dkd ranks the classes beside the label's: expected a model of three classes or more");
    const Scalar t = constant<Scalar>(temperature);
    const Scalar inverse_t = quotient(constant<Scalar>(1), t);
    Scalar students[Classes - 1];  // but the label's
    Scalar teachers[Classes - 1];
    Scalar shares[Classes - 1];  // q^ times normalizer.sum
    Scalar difference[Classes - 1];
    internal::copy_others<Classes>(student.values, label, students);
    internal::copy_others<Classes>(teacher.values, label, teachers);
    const Scalar half = constant<Scalar>(0.5);  // of a logit: differences of whole ones may not be representable
    const Scalar student_logit = half * internal::logit_of<Classes>(student.values, label);
    const Scalar teacher_logit = half * internal::logit_of<Classes>(teacher.values, label);
    const auto ranking = internal::find_softmax_divergence<Classes - 1>(students, teachers, inverse_t, difference);
    const Scalar half_teacher = half * ranking.teacher_first;
    const Scalar half_odds = (teacher_logit - half_teacher) * inverse_t;  // before the sum over the other classes
    const Scalar half_change =
        ((student_logit - teacher_logit) - (half * ranking.student_there - half_teacher)) * inverse_t;
    Scalar label_difference;  // q_y - p_y
    const Scalar tckd = internal::binary_divergence((half_odds + half_odds) - ranking.teacher_log_sum,
                                                    (half_change + half_change) - ranking.log_growth, label_difference);
    const auto normalizer = softmax_exponentials<Classes - 1>(students, inverse_t, shares);

    const Scalar of_label = gradient_scale * t * constant<Scalar>(alpha) * label_difference;
    const Scalar of_ranking = gradient_scale * t * constant<Scalar>(beta);
    for (std::size_t k = 0; k + 1 < Classes; ++k) {
      difference[k] = of_ranking * difference[k] - of_label * quotient(shares[k], normalizer.sum);
    }
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = internal::at_class<Classes>(k, label, of_label, difference);
    }
    const Scalar value = t * t * (constant<Scalar>(alpha) * tckd + constant<Scalar>(beta) * ranking.value);
    return internal::add_cross_entropy<Classes>(label_weight, student, label, gradient_scale, value, gradient);
  }

  friend bool operator==(const Dkd&, const Dkd&) = default;
};

static_assert(Loss<Dkd>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
