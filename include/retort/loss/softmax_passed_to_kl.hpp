// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A widespread mistake in distillation code, kept so that results obtained with it can be reproduced and compared.
/// For training, use HintonLoss.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/option.hpp"
#include "retort/core/text.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What results when softmax probabilities are handed to a KL divergence that expects log-probabilities (PyTorch's
/// KLDivLoss), and the factor T^2 is forgotten. With p = softmax(t / T), q = softmax(s / T) and hard weight w:
///
///   L = w CE(s, label) + (1 - w) sum_k p_k (log p_k - q_k)
///   dL/ds_i = w (softmax(s) - onehot(label))_i + (1 - w) / T q_i (sum_j p_j q_j - p_i)
///
/// Why it hurts: the soft term rewards a large overlap p.q, which is largest when the student puts everything on the
/// teacher's first class, so the teacher's ranking of the other classes, the point of distillation, is lost. Without
/// T^2 and with the extra factor q_i its gradient is also hundreds of times weaker than HintonLoss's: what remains is
/// cross-entropy with its learning signal scaled down by w. The value may be negative, and it is not 0 at a match.
/// The defaults are those of the recipe it was found in.
struct SoftmaxPassedToKlLoss {
  static constexpr std::string_view name = "SoftmaxPassedToKlLoss";
  static constexpr bool needs_teacher = true;

  double temperature = 7.0;  ///< T > 0
  double hard_weight = 0.3;  ///< w in [0, 1]; 1 is exactly CrossEntropy, 0 reads no label

  /// Throws OptionError for a hyperparameter outside its range.
  void validate() const {
    require_option(temperature > 0.0 && std::isfinite(temperature), name, "temperature", temperature,
                   "a finite number above 0");
    require_option(hard_weight >= 0.0 && hard_weight <= 1.0, name, "hard_weight", hard_weight, "a number in [0, 1]");
  }

  std::string describe() const {
    return describe_settings(name, {{"temperature", temperature}, {"hard_weight", hard_weight}});
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
    for (std::size_t k = 0; k < Classes; ++k) {
      const Scalar teacher_probability = exponentials[k] / p.sum;
      overlap += teacher_probability * (gradient[k] / q.sum);
      negative_entropy += teacher_probability * ((teacher.values[k] - p.maximum) * inverse_t - p.log_sum);
    }
    const Scalar factor = gradient_scale * soft_weight * inverse_t;
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = factor * (gradient[k] / q.sum) * (overlap - exponentials[k] / p.sum);
    }
    const Scalar soft_term = soft_weight * (negative_entropy - overlap);
    if (hard_weight == 0.0) {
      return soft_term;
    }
    const Scalar weight = constant<Scalar>(hard_weight);
    const Scalar hard_term = CrossEntropy{}.row<Classes>(student, teacher, label, gradient_scale, exponentials);
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] += weight * exponentials[k];
    }
    return weight * hard_term + soft_term;
  }

  friend bool operator==(const SoftmaxPassedToKlLoss&, const SoftmaxPassedToKlLoss&) = default;
};

static_assert(Loss<SoftmaxPassedToKlLoss>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
