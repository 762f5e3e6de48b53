// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The layers that a loss's term compares, among the operations of a training step.

#include <cstddef>

#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

/// The message for a hidden layer whose output a training step does not keep. It names the type
/// `feature_check::student_layer<1>::is_in_a_run_that_ends_with_layer<2>`.
namespace retort::feature_check {  // for every instruction set

template <std::size_t Layer>
struct student_layer {
  template <std::size_t Last>
  struct is_in_a_run_that_ends_with_layer {
    static_assert(
        Layer == Last,
        "retort: of a run of pointwise layers a training step keeps what leaves the last one; a term on features "
        "can take that: student_layer<I>::is_in_a_run_that_ends_with_layer<J> names it");
    static constexpr bool checked = true;
  };
};

}  // namespace retort::feature_check

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The teacher's layer of a term T.
template <typename T, Model TeacherModel>
struct TeacherLayer {
  static_assert(T::teacher_layer < TeacherModel::layer_count,
                "retort: a term on features takes a layer that the teacher has");
  /// Whether the teacher's features are read, beside its logits.
  static constexpr bool reads_features = true;
  /// How many of the teacher's layers have to run for its features.
  static constexpr std::size_t teacher_layers = T::teacher_layer + 1;
  static constexpr std::size_t width = TeacherModel::widths[teacher_layers];
};

/// For a loss that reads the teacher's logits alone.
struct NoTeacherLayer {
  static constexpr bool reads_features = false;
};

/// The layers of a term T: one of the model M, one of the teacher's.
template <typename T, Model M, Model TeacherModel>
struct TermLayers : TeacherLayer<T, TeacherModel> {
  static_assert(T::student_layer + 1 < M::layer_count,
                "retort: a term on features takes a hidden layer of the student");
  using Plan = backend::Plan<M>;

  /// The operation whose last layer is the student's layer.
  static constexpr std::size_t operation = [] {
    std::size_t index = 0;
    while (Plan::first_layer[index + 1] <= T::student_layer) {
      ++index;
    }
    return index;
  }();
  static_assert(feature_check::student_layer<T::student_layer>::template is_in_a_run_that_ends_with_layer<
                Plan::first_layer[operation + 1] - 1>::checked);

  static constexpr std::size_t student_width = M::widths[T::student_layer + 1];
};

/// For the model's run_backward: adds `addends` to the gradient of the operation `Operation`'s output.
template <std::size_t Operation, typename Backend, typename Scalar>
struct AddToOperation {
  const Backend& backend;
  const Scalar* addends;
  std::size_t count;

  template <std::size_t Index>
  void operator()(Scalar* gradient) const {
    if constexpr (Index == Operation) {
      add(backend, addends, gradient, count);
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
