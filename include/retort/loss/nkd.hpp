// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Normalised knowledge distillation: cross-entropy weighted by the teacher's confidence, and the ranking of all other
/// classes.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/label_and_others.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/softmax_divergence.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Yang et al., "From knowledge distillation to self-knowledge distillation: a unified approach with normalized loss
/// and customized soft labels", ICCV 2023, arXiv:2303.13005. With student logits s, teacher logits t, label y, and p^,
/// q^ the softmax of t / T and s / T over the classes k != y alone:
///
///   L = (label_weight + softmax(t)_y) CE(s, y) + gamma T^2 sum_{k != y} p^_k (log p^_k - log q^_k)
///   dL/ds_k = (label_weight + softmax(t)_y) (softmax(s) - onehot(y))_k + gamma T (q^_k - p^_k), the last for k != y
///
/// Defaults are the paper's. Its second term is the cross-entropy -sum p^_k log q^_k; here the entropy of p^ is
/// subtracted, as in HintonLoss: same gradient, and 0 where the rankings are equal. It is right relative to its own
/// size (softmax_divergence.hpp). Three classes and more. All of it depends on the label, so a training refuses samples
/// without one.
struct Nkd {
  static constexpr std::string_view name = "Nkd";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;

  double temperature = 1.0;   ///< T, of the other classes alone
  double gamma = 1.5;         ///< weight of their ranking
  double label_weight = 1.0;  ///< weight of the label's cross-entropy, beside the teacher's confidence

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &Nkd::temperature, allowed::temperature},
                      Hyperparameter{"gamma", &Nkd::gamma, allowed::at_least_zero},
                      Hyperparameter{"label_weight", &Nkd::label_weight, allowed::at_least_zero}};
  }

  /// Without gamma no temperature is used. See retort::simplified.
  constexpr Nkd simplified() const { return gamma > 0.0 ? *this : Nkd{.gamma = 0.0, .label_weight = label_weight}; }

  /// See retort::teacher_temperatures. The label's own probability is at temperature 1.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    if (gamma == 0.0) {
      return TeacherTemperatures{1.0, 1.0};
    }
    return TeacherTemperatures{std::min(temperature, 1.0), std::max(temperature, 1.0)};
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    static_assert(Classes >= 3,
                  "retort: Nkd ranks the classes beside the label's: expected a model of three classes or more");
    const Scalar zero = constant<Scalar>(0);
    const Scalar one = constant<Scalar>(1);
    const Scalar t = constant<Scalar>(temperature);
    const auto of_teacher = softmax_exponentials<Classes>(teacher.values, one, gradient);
    const Scalar confidence = quotient(internal::logit_of<Classes>(gradient, label), of_teacher.sum);
    const Scalar weight = constant<Scalar>(label_weight) + confidence;
    const Scalar cross_entropy =
        CrossEntropy{}.row<Classes>(student, teacher, label, gradient_scale * weight, gradient);

    Scalar students[Classes - 1];  // but the label's
    Scalar teachers[Classes - 1];
    Scalar difference[Classes - 1];
    internal::copy_others<Classes>(student.values, label, students);
    internal::copy_others<Classes>(teacher.values, label, teachers);
    const Scalar divergence = softmax_divergence<Classes - 1>(students, teachers, quotient(one, t), difference);
    const Scalar factor = gradient_scale * constant<Scalar>(gamma) * t;
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] += factor * internal::at_class<Classes>(k, label, zero, difference);
    }
    return weight * cross_entropy + constant<Scalar>(gamma) * t * t * divergence;
  }

  friend bool operator==(const Nkd&, const Nkd&) = default;
};

static_assert(Loss<Nkd>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
