// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of all pairs of samples, of student and teacher: what terms compare that leave their widths alone.

#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Elements between matrices (samples, samples) that lie one after another.
constexpr std::size_t pairs_extent(std::size_t samples) { return aligned_extent(samples * samples); }

/// of_student = S S^T and of_teacher = T T^T, each (size, size).
template <std::size_t StudentWidth, std::size_t TeacherWidth, typename Passes, typename Scalar>
void gram_matrices(const Passes& passes, const TermBatch<Scalar>& batch, Scalar* of_student, Scalar* of_teacher) {
  const MatrixView<const Scalar> student(batch.student, batch.size, StudentWidth);
  const MatrixView<const Scalar> teacher(batch.teacher, batch.size, TeacherWidth);
  passes.row_products(student, student, MatrixView<Scalar>(of_student, batch.size, batch.size));
  passes.row_products(teacher, teacher, MatrixView<Scalar>(of_teacher, batch.size, batch.size));
}

/// gradient = D S, where D (size, size) is the gradient in S S^T, plus its transpose.
template <std::size_t StudentWidth, typename Passes, typename Scalar>
void gram_gradient(const Passes& passes, const TermBatch<Scalar>& batch, const Scalar* of_products) {
  passes.products(MatrixView<const Scalar>(of_products, batch.size, batch.size),
                  MatrixView<const Scalar>(batch.student, batch.size, StudentWidth),
                  MatrixView<Scalar>(batch.gradient, batch.size, StudentWidth));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
