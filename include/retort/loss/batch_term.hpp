// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Terms of a loss that look at a whole batch at once, not at one sample after another.

#include <concepts>
#include <cstddef>
#include <string_view>

#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What a BatchTerm is evaluated on. All matrices are row-major, one sample a row, in the backend's memory.
template <typename Scalar>
struct TermBatch {
  const Scalar* student;  // (size, student's width)
  const Scalar* teacher;  // (size, teacher's width)
  std::size_t size;
  Scalar gradient_scale;
  Scalar* gradient;  // (size, student's width)
  Scalar* losses;    // (size)
  Scalar* scratch;   // scratch_size(size) elements of the term's own, with no contents
};

namespace internal {

/// What a BatchTerm may ask of a backend. Each call sees what those before it wrote.
struct PassesArchetype {
  /// Calls function(index) for each index below `count`, in any order, several at once. `Work` says how much a call
  /// does, in elements. The function object has a type that a device compiler can name (no lambda), and its operator()
  /// is callable on host and device.
  template <std::size_t Work = 1, typename Function>
  void for_each(std::size_t count, const Function& function) const;

  /// result (m, n) = left (m, k) times the transpose of right (n, k).
  template <typename Scalar>
  void row_products(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) const;

  /// result (m, n) = left (m, k) times right (k, n).
  template <typename Scalar>
  void products(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) const;
};

}  // namespace internal

/// A term T that compares the outputs of a layer of student and teacher over a batch. It has
/// - `T::name` and hyperparameters, like a Loss,
/// - `T::student_layer` and `T::teacher_layer`, as a FeatureTerm has; without them it compares the logits, and states
///   `T::of_classes` = true if it takes them for those of classes,
/// - `T::scratch_size<StudentWidth, TeacherWidth>(size)`, the elements of memory that it needs for a batch: no fewer
///   for a larger one,
/// - `term.template evaluate<StudentWidth, TeacherWidth>(passes, batch)`, which runs on the host and computes by passes
///   over samples, pairs or elements (internal::PassesArchetype lists what `passes` can do). It adds to each sample's
///   loss the sample's part of the term, and writes gradient_scale * d (sum of all parts) / d student to the gradient.
///   A backend averages over the batch by a gradient_scale of 1 / size. Preconditions: valid hyperparameters, size > 0.
///   A sum runs in an order that depends on the extents alone.
///
/// The widths may differ; nothing is trained between them. The term says nothing of labels. It may have
/// `T::minimum_batch`: a training refuses smaller batches. It may have `term.at_epoch(epoch)`, like a Loss.
template <typename T>
concept BatchTerm = std::copyable<T> && Configured<T> &&
                    requires(const T& term, const internal::PassesArchetype& passes, const TermBatch<float>& batch) {
                      { T::name } -> std::convertible_to<std::string_view>;
                      { T::template scratch_size<3, 5>(std::size_t{}) } -> std::same_as<std::size_t>;
                      { term.template evaluate<3, 5>(passes, batch) } -> std::same_as<void>;
                    };

/// A term that compares hidden layers, and not the logits.
template <typename T>
concept ComparesLayers = requires {
  { T::student_layer } -> std::convertible_to<std::size_t>;
  { T::teacher_layer } -> std::convertible_to<std::size_t>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
