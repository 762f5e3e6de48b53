// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Distillation by refined logits, for teachers that are sometimes wrong: the teacher says how sure to be, the label of
/// what, and classes that the teacher puts above the label are not ranked.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/at_epoch.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/label_and_others.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/softmax_divergence.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Sun et al., "Knowledge distillation with refined logits", arXiv:2408.07703. With student logits s, teacher logits t,
/// label y, p = softmax(t), q = softmax(s), p_max = max_k p_k, the classes M = {k: t_k < t_y}, and p^, q^ the softmax
/// of t / T and s / T over M alone:
///
///   SCD = p_max log(p_max / q_y) + (1 - p_max) log((1 - p_max) / (1 - q_y))
///   MCD = sum_{k in M} p^_k (log p^_k - log q^_k), 0 where M is empty
///   L = label_weight CE(s, y) + alpha SCD + beta T^2 MCD
///   dL/ds_y = label_weight (q_y - 1) + alpha (q_y - p_max)
///   dL/ds_k = label_weight q_k - alpha (q_y - p_max) q_k / (1 - q_y) + beta T (q^_k - p^_k), the last for k in M
///
/// In epochs 1, 2, ... of a training alpha and beta are times min(epoch / warmup_epochs, 1). Defaults are the paper's
/// for CIFAR-100. Everything is computed from logarithms; MCD is right relative to its own size
/// (softmax_divergence.hpp), SCD up to the rounding of log(p_max / (1 - p_max)). Three classes and more. All of it
/// depends on the label, so a training refuses samples without one.
struct Rld {
  static constexpr std::string_view name = "Rld";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;

  double temperature = 4.0;        ///< T, of MCD alone
  double alpha = 1.0;              ///< weight of SCD
  double beta = 8.0;               ///< weight of MCD
  double label_weight = 1.0;       ///< weight of the label's cross-entropy
  std::size_t warmup_epochs = 20;  ///< until alpha and beta have grown to their values; 0: at once

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &Rld::temperature, allowed::temperature},
                      Hyperparameter{"alpha", &Rld::alpha, allowed::at_least_zero},
                      Hyperparameter{"beta", &Rld::beta, allowed::at_least_zero},
                      Hyperparameter{"label_weight", &Rld::label_weight, allowed::at_least_zero},
                      Hyperparameter{"warmup_epochs", &Rld::warmup_epochs}};
  }

  /// See the concept Loss.
  Rld at_epoch(std::size_t epoch) const { return internal::warmed_up(*this, epoch); }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return alpha > 0.0 || beta > 0.0; }

  /// Without beta no temperature is used; without both weights only the label's counts. See retort::simplified.
  constexpr Rld simplified() const {
    Rld result = *this;
    result.temperature = beta > 0.0 ? temperature : Rld{}.temperature;
    result.warmup_epochs = reads_teacher() ? warmup_epochs : Rld{}.warmup_epochs;
    return result;
  }

  /// See retort::teacher_temperatures. SCD is at temperature 1.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    if (!reads_teacher()) {
      return std::nullopt;
    }
    const double of_scd = alpha > 0.0 ? 1.0 : temperature;
    const double of_mcd = beta > 0.0 ? temperature : 1.0;
    return TeacherTemperatures{std::min(of_scd, of_mcd), std::max(of_scd, of_mcd)};
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    static_assert(Classes >= 3,
                  "retort: Rld ranks the classes beside the label's: expected a model of three classes or more");
    const Scalar one = constant<Scalar>(1);
    const Scalar t = constant<Scalar>(temperature);
    const Label answer = internal::first_class<Classes, Label>(teacher.values).index;  // of the teacher
    Scalar others[Classes - 1];
    Scalar shares[Classes - 1];  // q_k / (1 - q_y)
    Scalar student_pair[2];
    Scalar teacher_pair[2];
    Scalar pair_difference[2];  // q_y - p_max, and the opposite
    internal::copy_others<Classes>(teacher.values, answer, others);
    internal::split_off<Classes>(teacher.values, answer, others, one, teacher_pair, shares);
    internal::copy_others<Classes>(student.values, label, others);
    internal::split_off<Classes>(student.values, label, others, one, student_pair, shares);
    const Scalar scd = softmax_divergence<2>(student_pair, teacher_pair, one, pair_difference);

    Scalar students[Classes];
    Scalar teachers[Classes];
    const Scalar limit = internal::logit_of<Classes>(teacher.values, label);
    keep_below<Classes>(student.values, teacher.values, limit, students);
    keep_below<Classes>(teacher.values, teacher.values, limit, teachers);
    const Scalar mcd = softmax_divergence<Classes>(students, teachers, quotient(one, t), gradient);

    const Scalar of_label = gradient_scale * constant<Scalar>(alpha) * pair_difference[0];
    const Scalar of_ranking = gradient_scale * t * constant<Scalar>(beta);
    for (std::size_t k = 0; k + 1 < Classes; ++k) {
      shares[k] = -of_label * shares[k];
    }
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = of_ranking * gradient[k] + internal::at_class<Classes>(k, label, of_label, shares);
    }
    const Scalar value = constant<Scalar>(alpha) * scd + constant<Scalar>(beta) * t * t * mcd;
    return internal::add_cross_entropy<Classes>(label_weight, student, label, gradient_scale, value, gradient);
  }

  friend bool operator==(const Rld&, const Rld&) = default;

 private:
  /// A row's logits where the teacher's are below `limit`; elsewhere one so far below all of them that the softmax of
  /// both rows is 0 there, or uniform where nothing is kept.
  template <std::size_t Classes, typename Scalar>
  RETORT_HOST_DEVICE void keep_below(const Scalar* logits, const Scalar* teacher, Scalar limit, Scalar* kept) const {
    Scalar smallest = logits[0];
    for (std::size_t k = 1; k < Classes; ++k) {
      smallest = select(logits[k] < smallest, logits[k], smallest);
    }
    const Scalar size = select(smallest < constant<Scalar>(0), -smallest, smallest);
    // exp(-1000) is 0. The second part counts where the temperature is lost in the rounding of the logits.
    const Scalar hidden = smallest - constant<Scalar>(1000.0 * temperature) - constant<Scalar>(1e-3) * size;
    for (std::size_t k = 0; k < Classes; ++k) {
      kept[k] = select(teacher[k] < limit, logits[k], hidden);
    }
  }
};

static_assert(Loss<Rld>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
