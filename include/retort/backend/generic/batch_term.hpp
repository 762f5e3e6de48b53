// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A loss's term on a whole batch: the passes that it asks for.

#include <cstddef>
#include <source_location>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/loss/batch_term.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// What a BatchTerm may ask of a backend; see internal::PassesArchetype.
template <typename Backend>
class Passes {
 public:
  explicit Passes(const Backend& backend) : backend_(backend) {}

  template <std::size_t Work = 1, typename Function>
  void for_each(std::size_t count, const Function& function,
                const std::source_location& where = std::source_location::current()) const {
    for_each_of<Work>(backend_, count, function, where);
  }

  template <typename Scalar>
  void row_products(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) const {
    forward_product(backend_, left, right, result);
  }

  template <typename Scalar>
  void products(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) const {
    input_gradient_product(backend_, right, left, result);
  }

 private:
  const Backend& backend_;
};

/// Copies an element of the teacher's rows that belong to the batch.
template <std::size_t Features, typename Scalar>
struct TakeTeacherRow {
  TermArguments<Scalar> arguments;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const std::size_t row = element / Features;
    const std::size_t teacher_row = arguments.teacher.row_of(row, arguments.samples[row]);
    arguments.teacher_rows[element] = arguments.teacher.features[teacher_row * Features + element % Features];
  }
};

}  // namespace detail

/// Adds each sample's part of the term to its loss, and writes the gradient in what the student gives.
template <typename B, typename Scalar, BatchTerm T, std::size_t Student, std::size_t Teacher>
void evaluate_term(const Generic<B>& generic, const T& term, Width<Student>, Width<Teacher>,
                   const TermArguments<Scalar>& arguments) {
  const B& backend = generic.self();
  for_each_of(backend, arguments.batch * Teacher, detail::TakeTeacherRow<Teacher, Scalar>{arguments});
  term.template evaluate<Student, Teacher>(
      detail::Passes<B>(backend), TermBatch<Scalar>{.student = arguments.student,
                                                    .teacher = arguments.teacher_rows,
                                                    .size = arguments.batch,
                                                    .gradient_scale = Scalar{1} / static_cast<Scalar>(arguments.batch),
                                                    .gradient = arguments.gradient,
                                                    .losses = arguments.losses,
                                                    .scratch = arguments.scratch});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
