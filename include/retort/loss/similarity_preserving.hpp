// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Similarity-preserving distillation: samples that are alike to the teacher should be alike to the student.

#include <cstddef>
#include <string_view>
#include <tuple>

#include "retort/core/host_device.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/loss/gram_matrices.hpp"
#include "retort/loss/normalized_difference.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace internal {

/// A row of the student's products with all samples becomes the gradient in it.
template <typename Scalar>
struct SimilarityRow {
  Scalar* student;        // (size, size)
  const Scalar* teacher;  // (size, size)
  std::size_t size;
  Scalar weight;  // / size
  Scalar gradient_scale;
  Scalar* losses;

  RETORT_HOST_DEVICE void operator()(std::size_t row) const {
    Scalar* of_student = student + row * size;
    losses[row] += weight * normalized_difference<Scalar>(of_student, teacher + row * size, size,
                                                          weight * gradient_scale, of_student);
  }
};

/// sum = matrix + its transpose, an element a call.
template <typename Scalar>
struct AddTranspose {
  const Scalar* matrix;  // (size, size)
  Scalar* sum;           // (size, size)
  std::size_t size;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    sum[element] = matrix[element] + matrix[element % size * size + element / size];
  }
};

}  // namespace internal

/// Tung and Mori, "Similarity-preserving knowledge distillation", ICCV 2019, arXiv:1907.09682. With S (B, width) what
/// leaves the student's layer `StudentLayer` for a batch of B samples, and T what leaves the teacher's `TeacherLayer`:
///
///   G_S = S S^T, N_S = G_S with each row divided by its Euclidean length; N_T likewise
///   L = weight / B^2 * sum_ij (N_S - N_T)_ij^2
///   E = 2 weight / B^2 (N_S - N_T), (dL/dG_S)_i = (E_i - N_i <E_i, N_i>) / |G_i|, dL/dS = (dL/dG_S + its transpose) S
///
/// The layers may be of any widths, and no regressor is trained between them: `WithTerm{CrossEntropy{},
/// SimilarityPreserving<1, 3>{}}`. Rotations of a layer's space and a common factor change nothing. A row of products
/// that are all 0 stays 0 and has no gradient. A training refuses batches of one sample, which is as alike to itself in
/// both: FitOptions::drop_last leaves out a last one.
template <std::size_t StudentLayer, std::size_t TeacherLayer>
struct SimilarityPreserving {
  static constexpr std::string_view name = "SimilarityPreserving";
  static constexpr std::size_t student_layer = StudentLayer;
  static constexpr std::size_t teacher_layer = TeacherLayer;
  static constexpr std::size_t minimum_batch = 2;

  double weight = 3000.0;

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"weight", &SimilarityPreserving::weight, allowed::at_least_zero}};
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth>
  static constexpr std::size_t scratch_size(std::size_t size) {
    return 2 * internal::pairs_extent(size);
  }

  /// See the concept BatchTerm.
  template <std::size_t StudentWidth, std::size_t TeacherWidth, typename Passes, typename Scalar>
  void evaluate(const Passes& passes, const TermBatch<Scalar>& batch) const {
    Scalar* student = batch.scratch;
    Scalar* teacher = student + internal::pairs_extent(batch.size);
    internal::gram_matrices<StudentWidth, TeacherWidth>(passes, batch, student, teacher);
    const Scalar share = static_cast<Scalar>(weight) / static_cast<Scalar>(batch.size);
    passes.template for_each<256>(batch.size, internal::SimilarityRow<Scalar>{student, teacher, batch.size, share,
                                                                              batch.gradient_scale, batch.losses});
    passes.for_each(batch.size * batch.size, internal::AddTranspose<Scalar>{student, teacher, batch.size});
    internal::gram_gradient<StudentWidth>(passes, batch, static_cast<const Scalar*>(teacher));
  }

  friend bool operator==(const SimilarityPreserving&, const SimilarityPreserving&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
