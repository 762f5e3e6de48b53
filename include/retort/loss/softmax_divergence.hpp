// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The Kullback-Leibler divergence between a teacher's and a student's softmax, precise relative to its own value,
/// which may be tiny: if the two agree or the temperature is high.

#include <cmath>
#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/series.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/log_softmax.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// What find_softmax_divergence finds; r is the teacher's first class.
template <typename Scalar>
struct SoftmaxDivergence {
  Scalar value;
  Scalar teacher_first;    ///< t_r
  Scalar student_there;    ///< s_r
  Scalar teacher_log_sum;  ///< log sum_k exp((t_k - t_r) / T)
  Scalar log_growth;       ///< log sum_k exp((s_k - s_r) / T) - teacher_log_sum, right relative to its own size
};

/// See softmax_divergence, which returns the value alone.
///
/// The sum itself is a difference of nearly equal numbers wherever p and q are close. Let r be the teacher's first
/// class and e_k = ((s_k - t_k) - (s_r - t_r)) / T, which is small exactly where the two agree. Then q_k = p_k exp(e_k)
/// / (1 + Y) with Y = sum_k p_k (exp(e_k) - 1), and the divergence is log(1 + Y) - sum_k p_k e_k, which is
///
///   A - (Y - log(1 + Y)) with A = sum_k p_k (exp(e_k) - 1 - e_k):
///
/// terms that are all positive and computed without cancellation (core/series.hpp); of A at least the part p_r stays.
/// Where |Y| is not small neither is the divergence, and it is computed from the logarithms.
template <std::size_t Classes, typename Scalar, typename Lanes = WholeRow>
RETORT_HOST_DEVICE SoftmaxDivergence<Scalar> find_softmax_divergence(const Scalar* student, const Scalar* teacher,
                                                                     Scalar inverse_temperature, Scalar* difference,
                                                                     const Lanes& lanes = {}) {
  using std::exp;
  using std::log;
  const Scalar zero = constant<Scalar>(0);
  const Scalar one = constant<Scalar>(1);
  const Scalar half = constant<Scalar>(0.5);
  const Scalar near_square = constant<Scalar>(0.25);  // the square of the largest number that the series take
  const Scalar far = constant<Scalar>(40);            // exp(40) is finite, and far from 1

  constexpr std::size_t own = Classes / Lanes::count;
  Scalar teacher_maximum = teacher[0];
  Scalar student_there = student[0];
  for (std::size_t k = 1; k < own; ++k) {
    const auto is_larger = teacher[k] > teacher_maximum;
    teacher_maximum = select(is_larger, teacher[k], teacher_maximum);
    student_there = select(is_larger, student[k], student_there);
  }
  lanes.take_largest(teacher_maximum, student_there);
  Scalar p[own];
  const auto of_teacher = softmax_exponentials<Classes>(teacher, inverse_temperature, p, lanes);
  const auto of_student = softmax_exponentials<Classes>(student, inverse_temperature, difference, lanes);
  const Scalar inverse_p = quotient(one, of_teacher.sum);
  const Scalar lead = (of_student.maximum - student_there) * inverse_temperature;  // e of the student's first class
  const Scalar growth = exp(select(lead > far, far, lead)) * inverse_p;  // p_k exp(e_k) = growth difference[k]
  // Halves, as a difference of a student's and a teacher's logit may not be representable.
  const Scalar origin = half * student_there - half * teacher_maximum;

  Scalar change[own];    // p_k (exp(e_k) - 1)
  Scalar excess = zero;  // A
  Scalar total = zero;   // Y
  Scalar moment = zero;  // sum_k p_k e_k / 2
  for (std::size_t k = 0; k < own; ++k) {
    p[k] = p[k] * inverse_p;
    const Scalar half_e = ((half * student[k] - half * teacher[k]) - origin) * inverse_temperature;
    const Scalar e = half_e + half_e;
    const Scalar rest = internal::exp_minus_linear(e);
    const Scalar half_term = p[k] * half_e;
    const auto is_near = e * e < near_square;
    change[k] = select(is_near, p[k] * (e + rest), difference[k] * growth - p[k]);
    excess += select(is_near, p[k] * rest, change[k] - (half_term + half_term));
    total += change[k];
    moment += half_term;
  }
  excess = lanes.sum(excess);
  total = lanes.sum(total);
  moment = lanes.sum(moment);
  const auto is_near = total * total < near_square;
  const Scalar bend = internal::linear_minus_log(total);
  const Scalar change_of_sums = of_student.log_sum - of_teacher.log_sum;
  const Scalar near_divergence = excess - bend;
  const Scalar far_divergence = (lead - (moment + moment)) + change_of_sums;
  const Scalar divergence = select(is_near, near_divergence, far_divergence);
  const Scalar inverse_q = quotient(one, of_student.sum);
  const Scalar shrinkage = quotient(one, one + total);
  for (std::size_t k = 0; k < own; ++k) {
    difference[k] = select(is_near, (change[k] - p[k] * total) * shrinkage, difference[k] * inverse_q - p[k]);
  }
  return {select(divergence < zero, zero, divergence), teacher_maximum, student_there, of_teacher.log_sum,
          select(is_near, total - bend, lead + change_of_sums)};
}

}  // namespace internal

/// With p = softmax(teacher / T) and q = softmax(student / T), returns sum_k p_k (log p_k - log q_k), never below 0,
/// and writes difference[k] = q_k - p_k, (Classes). `difference` must not overlap the logits. Relative to the
/// divergence the error is some 1e-7 Classes in float, from agreement to opposition; values below the smallest normal
/// number may become 0. Of `lanes` that share the row each has its part of the logits and of the difference.
template <std::size_t Classes, typename Scalar, typename Lanes = WholeRow>
RETORT_HOST_DEVICE Scalar softmax_divergence(const Scalar* student, const Scalar* teacher, Scalar inverse_temperature,
                                             Scalar* difference, const Lanes& lanes = {}) {
  return internal::find_softmax_divergence<Classes>(student, teacher, inverse_temperature, difference, lanes).value;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
