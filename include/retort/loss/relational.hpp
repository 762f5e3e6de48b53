// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Relational distillation: distances between samples and angles among them, as the teacher sees them.

#include <cstddef>
#include <limits>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_math.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/gram_matrices.hpp"
#include "retort/loss/huber.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// A batch as one model sees it, all (size, size): products of samples, and 1 / distances, where 0 stands for samples
/// at the same place.
template <typename Scalar>
struct Relations {
  Scalar* products;
  Scalar* inverse_distances;
  Scalar* distance_sums;  // (size): of each sample's distances to all others
  std::size_t size;

  static constexpr Scalar lost = 16 * std::numeric_limits<Scalar>::epsilon();

  RETORT_HOST_DEVICE Scalar product(std::size_t i, std::size_t k) const { return products[i * size + k]; }
  RETORT_HOST_DEVICE Scalar inverse(std::size_t i, std::size_t k) const { return inverse_distances[i * size + k]; }
  RETORT_HOST_DEVICE Scalar distance(std::size_t i, std::size_t k) const {
    const Scalar inverted = inverse(i, k);
    return inverted == 0 ? Scalar{0} : 1 / inverted;
  }

  /// Two samples whose distance is lost in the rounding of their products are at the same place.
  RETORT_HOST_DEVICE void invert_distance(std::size_t i, std::size_t k) const {
    const Scalar squares = product(i, i) + product(k, k);
    const Scalar square = squares - 2 * product(i, k);
    inverse_distances[i * size + k] = square <= lost * squares ? Scalar{0} : 1 / square_root(square);
  }

  /// 1 / the mean distance of the batch's pairs; 0 where all samples are at the same place.
  RETORT_HOST_DEVICE Scalar inverse_mean_distance() const {
    Scalar sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
      sum += distance_sums[i];
    }
    return sum == 0 ? Scalar{0} : static_cast<Scalar>(size * (size - 1)) / sum;
  }

  /// The cosine of the angle at sample j between the samples i and k; 0 where one of these is where j is.
  RETORT_HOST_DEVICE Scalar cosine(std::size_t i, std::size_t j, std::size_t k) const {
    return (product(i, k) - product(i, j) - product(j, k) + product(j, j)) * inverse(i, j) * inverse(j, k);
  }
};

/// What the functions below share. A gradient is of the sum of all samples' parts, in the student's products.
template <typename Scalar>
struct RelationalBatch {
  Relations<Scalar> student;
  Relations<Scalar> teacher;
  Scalar* angle_values;   // (size, size): the angles' part of sample i at sample j
  Scalar* slopes;         // (size, size): what the angles at j give to the product of i and j, with the other sign
  Scalar* own_slopes;     // (size, size): to that of i with itself
  Scalar* distance_dots;  // (size): sum_k slope times distance
  Scalar distance_factor;
  Scalar angle_factor;
};

/// The distances of a pair.
template <typename Scalar>
struct InvertDistances {
  RelationalBatch<Scalar> batch;

  RETORT_HOST_DEVICE void operator()(std::size_t pair) const {
    const std::size_t size = batch.student.size;
    batch.student.invert_distance(pair / size, pair % size);
    batch.teacher.invert_distance(pair / size, pair % size);
  }
};

template <typename Scalar>
struct SumDistances {
  RelationalBatch<Scalar> batch;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    sum(batch.student, row);
    sum(batch.teacher, row);
  }

 private:
  RETORT_HOST_DEVICE static void sum(const Relations<Scalar>& relations, std::size_t row) {
    Scalar sum = 0;
    for (std::size_t k = 0; k < relations.size; ++k) {
      sum += relations.distance(row, k);
    }
    relations.distance_sums[row] = sum;
  }
};

/// The angles at sample j with sample i on one side, for a pair (i, j).
template <typename Scalar>
struct CompareAngles {
  RelationalBatch<Scalar> batch;

  RETORT_HOST_DEVICE void operator()(std::size_t pair) const {
    const std::size_t size = batch.student.size;
    const std::size_t i = pair / size;
    const std::size_t j = pair % size;
    Scalar value = 0;
    Scalar of_others = 0;
    Scalar of_own = 0;
    if (i != j && batch.angle_factor > 0) {
      const Scalar inverse = batch.student.inverse(i, j);
      for (std::size_t k = 0; k < size; ++k) {
        if (k != i && k != j) {
          const Scalar cosine = batch.student.cosine(i, j, k);
          const Scalar difference = cosine - batch.teacher.cosine(i, j, k);
          const Scalar slope = huber_slope<Scalar>(difference, 1);
          value += huber<Scalar>(difference, 1);
          of_others += slope * inverse * batch.student.inverse(j, k);
          of_own -= slope * cosine * inverse * inverse;
        }
      }
    }
    batch.angle_values[pair] = batch.angle_factor * value;
    batch.own_slopes[pair] = batch.angle_factor * of_own;
    batch.slopes[pair] = batch.angle_factor * (of_others + of_own);
  }
};

/// A sample's part of the term.
template <typename Scalar>
struct AddRelations {
  RelationalBatch<Scalar> batch;
  Scalar* losses;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    const std::size_t size = batch.student.size;
    const Scalar inverse_mean = batch.student.inverse_mean_distance();
    const Scalar teacher_inverse_mean = batch.teacher.inverse_mean_distance();
    Scalar value = 0;
    Scalar angles = 0;
    Scalar dot = 0;
    for (std::size_t k = 0; k < size; ++k) {
      const Scalar distance = batch.student.distance(row, k) * inverse_mean;
      const Scalar difference = distance - batch.teacher.distance(row, k) * teacher_inverse_mean;
      value += huber<Scalar>(difference, 1);
      dot += huber_slope<Scalar>(difference, 1) * distance;
      angles += batch.angle_values[row * size + k];
    }
    losses[row] += batch.distance_factor * value + angles;
    batch.distance_dots[row] = dot;
  }
};

/// The gradient in the product of a pair of samples (i, k), times `scale`.
template <typename Scalar>
struct RelationalGradient {
  RelationalBatch<Scalar> batch;
  Scalar scale;
  Scalar* gradient;  // (size, size)

  RETORT_HOST_DEVICE void operator()(std::size_t pair) const {
    const std::size_t size = batch.student.size;
    const std::size_t i = pair / size;
    const std::size_t k = pair % size;
    const Scalar inverse_mean = batch.student.inverse_mean_distance();
    const Scalar teacher_inverse_mean = batch.teacher.inverse_mean_distance();
    Scalar dots = 0;
    for (std::size_t j = 0; j < size; ++j) {
      dots += batch.distance_dots[j];
    }
    const Scalar mean_dot = size > 1 ? dots / static_cast<Scalar>(size * (size - 1)) : Scalar{0};
    // By the distance of i and another sample; the square of a distance has twice the product, with the other sign.
    const auto by_distance = [&](std::size_t other) {
      const Scalar difference =
          batch.student.distance(i, other) * inverse_mean - batch.teacher.distance(i, other) * teacher_inverse_mean;
      return batch.distance_factor * (huber_slope<Scalar>(difference, 1) - mean_dot) * inverse_mean *
             batch.student.inverse(i, other);
    };
    Scalar sum = 0;
    if (i == k) {
      for (std::size_t j = 0; j < size; ++j) {
        sum += by_distance(j) + batch.own_slopes[i * size + j] + batch.slopes[j * size + i];
      }
    } else {
      if (batch.angle_factor > 0) {
        for (std::size_t j = 0; j < size; ++j) {
          if (j != i && j != k) {
            const Scalar difference = batch.student.cosine(i, j, k) - batch.teacher.cosine(i, j, k);
            sum += huber_slope<Scalar>(difference, 1) * batch.student.inverse(i, j) * batch.student.inverse(j, k);
          }
        }
      }
      sum = batch.angle_factor * sum - batch.slopes[pair] - batch.slopes[k * size + i] - by_distance(k);
    }
    gradient[pair] = scale * sum;
  }
};

}  // namespace internal

/// Park, Kim, Lu and Cho, "Relational knowledge distillation", CVPR 2019, arXiv:1904.05068. With s_i what leaves the
/// student's layer `StudentLayer` for sample i of a batch of B, and t_i what leaves the teacher's `TeacherLayer`:
///
///   D(s)_ij = |s_i - s_j| / their mean over all pairs i != j
///   A(s)_ijk = <e_ij, e_kj>, where e_ij = (s_i - s_j) / |s_i - s_j|: the cosine of the angle at j, of three different
///   samples
///   L = distance_weight / B^2 * sum_ij h(D(s) - D(t))_ij + angle_weight / B^3 * sum_ijk h(A(s) - A(t))_ijk
///   h(x) = x^2 / 2 where |x| <= 1, else |x| - 1/2 (Huber)
///
/// The gradient, with d_ij = |s_i - s_j|, m their mean, P^j_ik = <s_i - s_j, s_k - s_j> and dL/dA = angle_weight / B^3
/// h'(A(s) - A(t)), likewise dL/dD:
///
///   dL/dd_ij = (dL/dD_ij - sum_kl dL/dD_kl D_kl / (B (B - 1))) / m
///   dL/dP^j_ik = dL/dA_ijk / (d_ij d_kj) for i != k, dL/dP^j_ii = -sum_k dL/dA_ijk A_ijk / d_ij^2
///
/// and both by way of the products <s_i, s_k>, in B^3 operations. The layers may be of any widths, and no regressor is
/// trained between them: `WithTerm{CrossEntropy{}, Relational<1, 3>{}}`. Moving, rotating and scaling a layer's space
/// changes nothing but roundings. Two samples at the same place, or so near that rounding hides it (in float 0.2 % of
/// their vectors' lengths), have the distance 0 and the cosines 0, and no gradient comes from them. A training
/// refuses batches of fewer than three samples, which have one distance and no angle: FitOptions::drop_last leaves out
/// a last one.
template <std::size_t StudentLayer, std::size_t TeacherLayer>
struct Relational {
  static constexpr std::string_view name = "Relational";
  static constexpr std::size_t student_layer = StudentLayer;
  static constexpr std::size_t teacher_layer = TeacherLayer;
  static constexpr std::size_t minimum_batch = 3;

  double distance_weight = 25.0;
  double angle_weight = 50.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"distance_weight", &Relational::distance_weight, allowed::at_least_zero},
                      Hyperparameter{"angle_weight", &Relational::angle_weight, allowed::at_least_zero}};
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth>
  static constexpr std::size_t scratch_size(std::size_t size) {
    return 7 * internal::pairs_extent(size) + 3 * size;
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth, typename Passes, typename Scalar>
  void evaluate(const Passes& passes, const TermBatch<Scalar>& batch) const {
    const std::size_t size = batch.size;
    const std::size_t pairs = internal::pairs_extent(size);
    Scalar* matrices = batch.scratch;
    Scalar* vectors = matrices + 7 * pairs;
    const auto samples = static_cast<Scalar>(size);
    const internal::RelationalBatch<Scalar> relations{
        .student = {matrices, matrices + pairs, vectors, size},
        .teacher = {matrices + 2 * pairs, matrices + 3 * pairs, vectors + size, size},
        .angle_values = matrices + 4 * pairs,
        .slopes = matrices + 5 * pairs,
        .own_slopes = matrices + 6 * pairs,
        .distance_dots = vectors + 2 * size,
        .distance_factor = static_cast<Scalar>(distance_weight) / samples,
        .angle_factor = static_cast<Scalar>(angle_weight) / (samples * samples)};
    internal::gram_matrices<StudentWidth, TeacherWidth>(passes, batch, matrices, matrices + 2 * pairs);
    passes.template for_each<16>(size * size, internal::InvertDistances<Scalar>{relations});
    passes.template for_each<256>(size, internal::SumDistances<Scalar>{relations});
    passes.template for_each<512>(size * size, internal::CompareAngles<Scalar>{relations});
    passes.template for_each<256>(size, internal::AddRelations<Scalar>{relations, batch.losses});
    Scalar* gradient = relations.angle_values;  // no longer needed
    passes.template for_each<512>(size * size,
                                  internal::RelationalGradient<Scalar>{relations, 2 * batch.gradient_scale, gradient});
    internal::gram_gradient<StudentWidth>(passes, batch, static_cast<const Scalar*>(gradient));
  }

  friend bool operator==(const Relational&, const Relational&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
