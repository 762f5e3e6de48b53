// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Transformed teacher matching: a temperature for the teacher alone.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/softmax_divergence.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Zheng and Yang, "Knowledge distillation based on transformed teacher matching", ICLR 2024, arXiv:2402.11148: TTM,
/// and WTTM where `weighted`. With student logits s, teacher logits t, exponent g (1 / temperature), p_g = softmax(g
/// t), q = softmax(s), and U = 1, or for WTTM U = sum_k softmax(t)_k^g, which is larger the less sure the teacher is:
///
///   L = label_weight CE(s, label) + beta U sum_k p_gk (log p_gk - log q_k)
///   dL/ds = label_weight (q - onehot(label)) + beta U (q - p_g)
///
/// There is no T^2, as the student has no temperature, and so the loss is not 0 where s = t. Defaults are an example of
/// the paper's for CIFAR-100. The soft term is right relative to its own size (softmax_divergence.hpp), up to the
/// rounding of g t.
struct Ttm {
  static constexpr std::string_view name = "Ttm";
  static constexpr bool needs_teacher = true;
  static constexpr bool takes_vectors = true;

  double exponent = 0.1;      ///< g
  double beta = 45.0;         ///< weight of the soft term
  double label_weight = 1.0;  ///< weight of the label's cross-entropy; 0 reads no label
  bool weighted = false;      ///< WTTM: samples of which the teacher is less sure count more

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"exponent", &Ttm::exponent, allowed::above_zero},
                      Hyperparameter{"beta", &Ttm::beta, allowed::at_least_zero},
                      Hyperparameter{"label_weight", &Ttm::label_weight, allowed::at_least_zero},
                      Hyperparameter{"weighted", &Ttm::weighted}};
  }

  /// See the concept Loss.
  constexpr bool learns_without_label() const { return beta > 0.0; }

  /// See the concept Loss.
  constexpr bool reads_teacher() const { return beta > 0.0; }

  /// Without beta only the label's weight counts. See retort::simplified.
  constexpr Ttm simplified() const { return reads_teacher() ? *this : Ttm{.beta = 0.0, .label_weight = label_weight}; }

  /// See retort::teacher_temperatures. Weights of samples are at temperature 1.
  constexpr std::optional<TeacherTemperatures> teacher_temperatures() const {
    if (beta == 0.0) {
      return std::nullopt;
    }
    const double temperature = 1.0 / exponent;
    return weighted ? TeacherTemperatures{std::min(temperature, 1.0), std::max(temperature, 1.0)}
                    : TeacherTemperatures{temperature, temperature};
  }

  /// One sample; see the concept Loss.
  template <std::size_t Classes, typename Scalar, typename Label>
  RETORT_HOST_DEVICE Scalar row(StudentLogits<Scalar> student, TeacherLogits<Scalar> teacher, Label label,
                                Scalar gradient_scale, Scalar* gradient) const {
    using std::exp;
    const Scalar one = constant<Scalar>(1);
    const Scalar g = constant<Scalar>(exponent);
    Scalar transformed[Classes];
    Scalar weight = constant<Scalar>(beta);
    if (weighted) {
      const auto of_teacher = softmax_exponentials<Classes>(teacher.values, one, transformed);
      Scalar power_sum = constant<Scalar>(0);
      for (std::size_t k = 0; k < Classes; ++k) {
        power_sum += exp(g * ((teacher.values[k] - of_teacher.maximum) - of_teacher.log_sum));
      }
      weight *= power_sum;
    }
    for (std::size_t k = 0; k < Classes; ++k) {
      transformed[k] = g * teacher.values[k];
    }
    const Scalar divergence = softmax_divergence<Classes>(student.values, transformed, one, gradient);
    const Scalar factor = gradient_scale * weight;
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = factor * gradient[k];
    }
    const Scalar value = weight * divergence;
    return internal::add_cross_entropy<Classes>(label_weight, student, label, gradient_scale, value, gradient);
  }

  friend bool operator==(const Ttm&, const Ttm&) = default;
};

static_assert(Loss<Ttm>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET
