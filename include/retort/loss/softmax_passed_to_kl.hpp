// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A widespread mistake in distillation code, kept so that results obtained with it can be reproduced and compared.
/// For training, use HintonLoss.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/series.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What results if softmax probabilities go to a KL divergence that expects log-probabilities (PyTorch's KLDivLoss),
/// and the factor T^2 is forgotten. With p = softmax(t / T), q = softmax(s / T) and hard weight w:
///
///   L = w CE(s, label) + (1 - w) sum_k p_k (log p_k - q_k)
///   dL/ds_i = w (softmax(s) - onehot(label))_i + (1 - w) / T q_i (sum_j p_j q_j - p_i)
///
/// Why it hurts: the soft term rewards a large overlap p.q, which is largest when the student puts everything on the
/// teacher's first class, so the teacher's ranking of the other classes, the point of distillation, is lost. Without
/// T^2 and with the extra factor q_i its gradient is also hundreds of times weaker than HintonLoss's: what remains is
/// cross-entropy with its learning signal scaled down by w. The value may be negative, and it is not 0 at a match. The
/// defaults are those of the recipe where it was found.
struct SoftmaxPassedToKlLoss {
  static constexpr std::string_view name = "SoftmaxPassedToKlLoss";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;

  double temperature = 7.0;  ///< T
  double hard_weight = 0.3;  ///< w; 1 is exactly CrossEntropy, 0 reads no label

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &SoftmaxPassedToKlLoss::temperature, allowed::temperature},
                      Hyperparameter{"hard_weight", &SoftmaxPassedToKlLoss::hard_weight, allowed::zero_to_one}};
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const { return hard_weight < 1.0; }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return hard_weight < 1.0; }

  /// With hard weight 1 no temperature is used. See retort::simplified.
  constexpr SoftmaxPassedToKlLoss simplified() const {
    return hard_weight == 1.0 ? SoftmaxPassedToKlLoss{.hard_weight = 1.0} : *this;
  }

  /// See retort::teacher_temperatures.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    return hard_weight < 1.0 ? std::optional(TeacherTemperatures{temperature, temperature}) : std::nullopt;
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    if (hard_weight == 1.0) {
      return CrossEntropy{}.row<Classes>(student, teacher, label, gradient_scale, gradient);
    }
    const Scalar inverse_t = constant<Scalar>(1) / constant<Scalar>(temperature);
    const Scalar soft_weight = constant<Scalar>(1.0 - hard_weight);

    Scalar exponentials[Classes];
    const auto p = softmax_exponentials<Classes>(teacher.values, inverse_t, exponentials);
    const auto q = softmax_exponentials<Classes>(student.values, inverse_t, gradient);
    Scalar overlap = constant<Scalar>(0);           // sum_k p_k q_k
    Scalar negative_entropy = constant<Scalar>(0);  // sum_k p_k log p_k
    Scalar lowest = constant<Scalar>(0);            // logit of the teacher, relative to the largest, over T
    Scalar mean_excess = constant<Scalar>(0);       // sum_k q_k (exp(x_k) - 1), x_k such a logit
    Scalar excess[Classes];                         // exp(x_k) - 1
    for (std::size_t k = 0; k < Classes; ++k) {
      const Scalar x = (teacher.values[k] - p.maximum) * inverse_t;
      const Scalar teacher_probability = exponentials[k] / p.sum;
      const Scalar student_probability = gradient[k] / q.sum;
      overlap += teacher_probability * student_probability;
      negative_entropy += teacher_probability * (x - p.log_sum);
      lowest = select(x < lowest, x, lowest);
      excess[k] = x + internal::exp_minus_linear(x);
      mean_excess += student_probability * excess[k];
    }
    // At a high temperature all p_k are close to `overlap`: then their difference is that of the excesses.
    const auto is_flat = lowest > constant<Scalar>(-0.5);
    const Scalar factor = gradient_scale * soft_weight * inverse_t;
    for (std::size_t k = 0; k < Classes; ++k) {
      const Scalar difference = select(is_flat, (mean_excess - excess[k]) / p.sum, overlap - exponentials[k] / p.sum);
      gradient[k] = factor * (gradient[k] / q.sum) * difference;
    }
    const Scalar soft_term = soft_weight * (negative_entropy - overlap);
    return internal::add_cross_entropy<Classes>(hard_weight, student, label, gradient_scale, soft_term, gradient);
  }

  friend bool operator==(const SoftmaxPassedToKlLoss&, const SoftmaxPassedToKlLoss&) = default;
};

static_assert(Loss<SoftmaxPassedToKlLoss>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
