// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// DIST: the student's probabilities should correlate with the teacher's, not equal them.

#include <cstddef>
#include <limits>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/log_softmax.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// Pearson's correlation of two vectors a and b, and what its gradient in a needs.
template <typename Scalar>
struct Correlation {
  Scalar value;
  Scalar mean;
  Scalar mean_of_b;
  Scalar factor_of_b;  // 1 / (|a| |b|), of the centred vectors
  Scalar factor_of_a;  // value / |a|^2

  static constexpr Scalar rounding = 16 * std::numeric_limits<Scalar>::epsilon();  // not in device code: a host's call

  /// d value / d a_i, at a_i and b_i.
  RETORT_HOST_DEVICE Scalar slope(Scalar a, Scalar b) const {
    return (b - mean_of_b) * factor_of_b - (a - mean) * factor_of_a;
  }
};

/// The mean of `count` numbers that lie `stride` apart; relative to the first, so that from equal numbers it deviates
/// by 0 exactly.
template <typename Scalar>
RETORT_HOST_DEVICE Scalar mean_of(const Scalar* values, std::size_t count, std::size_t stride) {
  Scalar sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += values[i * stride] - values[0];
  }
  return values[0] + sum / static_cast<Scalar>(count);
}

/// The correlation of a and b, `count` numbers that lie `stride` apart. It is 0, and so is its gradient, where one of
/// them is constant to rounding, or shorter than 1e-8 without its mean.
template <typename Scalar>
RETORT_HOST_DEVICE Correlation<Scalar> correlate(const Scalar* a, const Scalar* b, std::size_t count,
                                                 std::size_t stride) {
  constexpr Scalar rounding = Correlation<Scalar>::rounding;
  Correlation<Scalar> result{0, mean_of(a, count, stride), mean_of(b, count, stride), 0, 0};
  Scalar product = 0;
  Scalar squares = 0;
  Scalar squares_of_b = 0;
  Scalar whole = 0;  // the squares with the mean
  Scalar whole_of_b = 0;
  for (std::size_t i = 0; i < count * stride; i += stride) {
    const Scalar from_mean = a[i] - result.mean;
    const Scalar from_mean_of_b = b[i] - result.mean_of_b;
    product += from_mean * from_mean_of_b;
    squares += from_mean * from_mean;
    squares_of_b += from_mean_of_b * from_mean_of_b;
    whole += a[i] * a[i];
    whole_of_b += b[i] * b[i];
  }
  const auto is_constant = [](Scalar of_centred, Scalar of_whole) {
    return of_centred <= rounding * rounding * of_whole || of_centred <= static_cast<Scalar>(1e-16);
  };
  if (!is_constant(squares, whole) && !is_constant(squares_of_b, whole_of_b)) {
    result.factor_of_b = 1 / (square_root(squares) * square_root(squares_of_b));
    result.value = product * result.factor_of_b;
    result.factor_of_a = result.value / squares;
  }
  return result;
}

/// The probabilities of student and teacher for a batch, (size, Classes), and each class's correlation over the batch.
template <std::size_t Classes, typename Scalar>
struct BatchOfProbabilities {
  static constexpr std::size_t numbers = 5;  // of a correlation

  Scalar* student;
  Scalar* teacher;
  Scalar* correlations;  // (numbers, Classes)
  std::size_t size;

  static constexpr std::size_t scratch_size(std::size_t size) { return (2 * size + numbers) * Classes; }

  BatchOfProbabilities(Scalar* scratch, std::size_t samples)
      : student(scratch),
        teacher(student + samples * Classes),
        correlations(teacher + samples * Classes),
        size(samples) {}

  RETORT_HOST_DEVICE void keep(std::size_t k, const Correlation<Scalar>& correlation) const {
    Scalar* place = correlations + k;
    place[0] = correlation.value;
    place[Classes] = correlation.mean;
    place[2 * Classes] = correlation.mean_of_b;
    place[3 * Classes] = correlation.factor_of_b;
    place[4 * Classes] = correlation.factor_of_a;
  }
  RETORT_HOST_DEVICE Correlation<Scalar> of_class(std::size_t k) const {
    const Scalar* place = correlations + k;
    return {place[0], place[Classes], place[2 * Classes], place[3 * Classes], place[4 * Classes]};
  }
};

/// The softmax of a sample's logits.
template <std::size_t Classes, typename Scalar>
struct ProbabilitiesOfSample {
  TermBatch<Scalar> batch;
  BatchOfProbabilities<Classes, Scalar> probabilities;
  Scalar inverse_temperature;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    softmax(batch.student + row * Classes, probabilities.student + row * Classes);
    softmax(batch.teacher + row * Classes, probabilities.teacher + row * Classes);
  }

 private:
  RETORT_HOST_DEVICE void softmax(const Scalar* logits, Scalar* result) const {
    const auto normalizer = softmax_exponentials<Classes>(logits, inverse_temperature, result);
    for (std::size_t k = 0; k < Classes; ++k) {
      result[k] = result[k] / normalizer.sum;
    }
  }
};

/// A class's correlation over the batch.
template <std::size_t Classes, typename Scalar>
struct CorrelateClass {
  BatchOfProbabilities<Classes, Scalar> probabilities;

  RETORT_HOST_DEVICE void operator()(std::size_t k) const {
    probabilities.keep(k, correlate(probabilities.student + k, probabilities.teacher + k, probabilities.size, Classes));
  }
};

/// A sample's part of the term, with its gradient.
template <std::size_t Classes, typename Scalar>
struct DistRow {
  TermBatch<Scalar> batch;
  BatchOfProbabilities<Classes, Scalar> probabilities;
  Scalar inverse_temperature;
  Scalar row_factor;     // T^2 beta
  Scalar column_factor;  // T^2 gamma / Classes

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const Scalar* student = probabilities.student + row * Classes;
    const Scalar* teacher = probabilities.teacher + row * Classes;
    Scalar* gradient = batch.gradient + row * Classes;
    const Correlation<Scalar> of_row = correlate(student, teacher, Classes, 1);
    const Scalar samples = static_cast<Scalar>(probabilities.size);
    Scalar value = row_factor * (1 - of_row.value);
    Scalar mean_slope = 0;  // <q, dV/dq>
    for (std::size_t k = 0; k < Classes; ++k) {
      const Correlation<Scalar> of_class = probabilities.of_class(k);
      value += column_factor * (1 - of_class.value);
      gradient[k] = -row_factor * of_row.slope(student[k], teacher[k]) -
                    column_factor * samples * of_class.slope(student[k], teacher[k]);
      mean_slope += student[k] * gradient[k];
    }
    batch.losses[row] += value;
    for (std::size_t k = 0; k < Classes; ++k) {
      gradient[k] = batch.gradient_scale * inverse_temperature * student[k] * (gradient[k] - mean_slope);
    }
  }
};

}  // namespace internal

/// Huang, You, Wang, Qian and Xu, "Knowledge distillation from a stronger teacher" (DIST), NeurIPS 2022,
/// arXiv:2205.10536. A term on the logits of a batch of B samples; the paper's loss adds it to the cross-entropy:
/// `WithTerm{CrossEntropy{}, Dist{}}`. With q = softmax(s / T) and p = softmax(t / T), both (B, Classes), and Pearson's
/// correlation r:
///
///   L = T^2 (beta (1 - mean over the samples of r(q_i, p_i)) + gamma (1 - mean over the classes of r(q^k, p^k)))
///
/// where q_i is a row, a sample's probabilities, and q^k a column, a class's over the batch. Of the centred vectors a
/// and b, dr/da = b / (|a| |b|) - r a / |a|^2, and dL/ds = q / T o (dL/dq - <q, dL/dq>) in each row.
///
/// It is 0 where q is a positive multiple of p plus a constant, in rows and columns. The correlation of a vector that
/// is constant to rounding (the same probability for all classes, or for all samples), or whose centred vector is
/// shorter than 1e-8, is 0 without a gradient. With two
/// classes the rows say which of them is the larger, and no more. A training refuses batches of one sample, in which
/// every column is constant: FitOptions::drop_last leaves out a last one. The teacher may be a table of logits.
struct Dist {
  static constexpr std::string_view name = "Dist";
  static constexpr bool of_classes = true;
  static constexpr std::size_t minimum_batch = 2;

  double temperature = 1.0;
  double beta = 1.0;   ///< weight of the rows, within samples
  double gamma = 1.0;  ///< weight of the columns, within classes

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"temperature", &Dist::temperature, allowed::temperature},
                      Hyperparameter{"beta", &Dist::beta, allowed::at_least_zero},
                      Hyperparameter{"gamma", &Dist::gamma, allowed::at_least_zero}};
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth>
  static constexpr std::size_t scratch_size(std::size_t size) {
    return internal::BatchOfProbabilities<StudentWidth, double>::scratch_size(size);
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth, typename Passes, typename Scalar>
  void evaluate(const Passes& passes, const TermBatch<Scalar>& batch) const {
    static_assert(StudentWidth == TeacherWidth, "retort: Dist compares logits of the same classes");
    constexpr std::size_t classes = StudentWidth;
    const internal::BatchOfProbabilities<classes, Scalar> probabilities(batch.scratch, batch.size);
    const double squared = temperature * temperature;
    const auto inverse = static_cast<Scalar>(1.0 / temperature);
    passes.template for_each<8 * classes>(
        batch.size, internal::ProbabilitiesOfSample<classes, Scalar>{batch, probabilities, inverse});
    passes.template for_each<512>(classes, internal::CorrelateClass<classes, Scalar>{probabilities});
    passes.template for_each<8 * classes>(
        batch.size,
        internal::DistRow<classes, Scalar>{batch, probabilities, inverse, static_cast<Scalar>(squared * beta),
                                           static_cast<Scalar>(squared * gamma / double{classes})});
  }

  friend bool operator==(const Dist&, const Dist&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
