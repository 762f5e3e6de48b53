// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses on panels: a vector of samples at a time where the loss takes vectors, else sample by sample; value, gradient
/// and answer in one pass.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/vector_archetype.hpp"
#include "retort/loss/loss.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// Evaluates `count` samples from `first` on; their logits fill one vector for each class.
template <std::size_t Classes, typename V, typename L>
void evaluate_vector(const L& loss, const LossArguments<simd::ScalarOf<V>>& arguments, std::size_t first,
                     std::size_t count, const simd::ScalarOf<V>* student, simd::ScalarOf<V>* gradient) {
  using Scalar = simd::ScalarOf<V>;
  using Lanes = std::array<Scalar, simd::lanes<V>>;
  alignas(arena_alignment) Lanes labels{};
  alignas(arena_alignment) std::array<Lanes, Classes> teacher{};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t sample = arguments.samples[first + i];
    labels[i] = static_cast<Scalar>(arguments.labels[sample]);  // data::unlabelled stays above all classes
    if constexpr (L::needs_teacher) {
      const Scalar* row = arguments.teacher.logits + arguments.teacher.row_of(first + i, sample) * Classes;
      for (std::size_t k = 0; k < Classes; ++k) {
        teacher[k][i] = row[k];
      }
    }
  }
  std::array<V, Classes> student_logits;
  std::array<V, Classes> teacher_logits;
  std::array<V, Classes> gradients;
  V largest = V::load_aligned(student);
  V answer(Scalar{0});
  for (std::size_t k = 0; k < Classes; ++k) {
    student_logits[k] = V::load_aligned(student + k * width<Scalar>);
    if constexpr (L::needs_teacher) {
      teacher_logits[k] = V::load_aligned(teacher[k].data());
    }
    const auto larger = student_logits[k] > largest;
    largest = select(larger, student_logits[k], largest);
    answer = select(larger, V(static_cast<Scalar>(k)), answer);
  }
  const V label = V::load_aligned(labels.data());
  const V value =
      loss.template row<Classes>(StudentLogits<V>{student_logits.data()}, TeacherLogits<V>{teacher_logits.data()},
                                 label, V(Scalar{1} / static_cast<Scalar>(arguments.batch)), gradients.data());
  for (std::size_t k = 0; k < Classes; ++k) {
    gradients[k].store_aligned(gradient + k * width<Scalar>);
  }
  simd::store_partial(value, arguments.losses + first, count);
  alignas(arena_alignment) Lanes answers;
  answer.store_aligned(answers.data());
  for (std::size_t i = 0; i < count; ++i) {
    arguments.correct[first + i] = answers[i] == labels[i] ? 1 : 0;
  }
}

/// Evaluates one sample.
template <std::size_t Classes, typename L, typename Scalar>
void evaluate_sample(const L& loss, const LossArguments<Scalar>& arguments, std::size_t sample_in_batch,
                     const Scalar* student, Scalar* gradient) {
  const std::size_t sample = arguments.samples[sample_in_batch];
  const std::uint32_t label = arguments.labels[sample];
  std::array<Scalar, Classes> logits;
  std::array<Scalar, Classes> gradients;
  for (std::size_t k = 0; k < Classes; ++k) {
    logits[k] = student[k * width<Scalar>];
  }
  const Scalar* teacher = nullptr;
  if constexpr (L::needs_teacher) {
    teacher = arguments.teacher.logits + arguments.teacher.row_of(sample_in_batch, sample) * Classes;
  }
  const auto result =
      internal::evaluate_row<Classes>(loss, std::as_const(logits).data(), teacher, label,
                                      Scalar{1} / static_cast<Scalar>(arguments.batch), gradients.data());
  arguments.losses[sample_in_batch] = result.loss;
  arguments.correct[sample_in_batch] = result.correct;
  for (std::size_t k = 0; k < Classes; ++k) {
    gradient[k * width<Scalar>] = gradients[k];
  }
}

}  // namespace detail

/// Values, answers and the gradient of the mean over the batch. The student's logits and the gradient are in panels:
/// the unused lanes of the batch's last vector are undefined.
template <std::size_t Classes, typename V, typename L>
void evaluate_loss(const L& loss, const LossArguments<simd::ScalarOf<V>>& arguments) {
  using Scalar = simd::ScalarOf<V>;
  static_assert(check_vectors_of_loss<L, Classes>());
  constexpr std::size_t step = takes_vectors<L> ? simd::lanes<V> : 1;
  for (std::size_t first = 0; first < arguments.batch; first += step) {
    const std::size_t offset = first / width<Scalar> * Classes * width<Scalar> + first % width<Scalar>;
    if constexpr (takes_vectors<L>) {
      detail::evaluate_vector<Classes, V>(loss, arguments, first, std::min(step, arguments.batch - first),
                                          arguments.student + offset, arguments.gradient + offset);
    } else {
      detail::evaluate_sample<Classes>(loss, arguments, first, arguments.student + offset, arguments.gradient + offset);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
