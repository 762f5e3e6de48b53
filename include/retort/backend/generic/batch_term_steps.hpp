// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a loss with a term on whole batches adds to a training step: the gradient of a hidden layer of the student, or
/// of the logits.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/generic/term_layers.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/batch_term.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The logits of the model M and of any teacher, in place of TermLayers.
template <Model M>
struct TermLogits : NoTeacherLayer {
  static constexpr std::size_t operation = backend::Plan<M>::size - 1;
  static constexpr std::size_t student_width = M::output_size;
  static constexpr std::size_t width = M::output_size;
};

/// A term T of the model M on a whole batch. `Places` are its TermLayers or TermLogits.
template <BatchTerm T, Model M, typename Places>
struct TermOnBatches : Places {
  static constexpr std::size_t parameter_arena_size = 0;
  using Places::operation;
  using Places::reads_features;
  using Places::student_width;
  using Places::width;

  template <typename Backend, typename Scalar>
  class Steps {
   public:
    Steps(const Backend& backend, std::size_t capacity)
        : capacity_(capacity),
          teacher_rows_(backend.template allocate<Scalar>(capacity * width)),
          gradient_(backend.template allocate<Scalar>(capacity * student_width)),
          scratch_(backend.template allocate<Scalar>(T::template scratch_size<student_width, width>(capacity))) {}

    /// Adds the term to the samples' losses, and its gradient to that of the logits if it compares them. `activations`
    /// are the model's.
    template <std::size_t Moments, typename L>
    void evaluate(const Backend& backend, const backend::TrainingBatch& batch,
                  const backend::TrainingState<Scalar, Moments>& state, const L& loss, const Scalar* activations,
                  Scalar* logits_gradient, Scalar* /*regressor_gradients*/) {
      backend::TeacherTable<Scalar> teacher = state.teacher;
      if constexpr (!reads_features) {
        teacher.features = teacher.logits;
      }
      evaluate_term(backend, loss.term, backend::Width<student_width>{}, backend::Width<width>{},
                    backend::TermArguments<Scalar>{.student = activations + output_offset<M>(operation, capacity_),
                                                   .teacher = teacher,
                                                   .samples = batch.samples,
                                                   .gradient = gradient_.data(),
                                                   .losses = state.losses,
                                                   .batch = batch.size,
                                                   .teacher_rows = teacher_rows_.data(),
                                                   .scratch = scratch_.data()});
      if constexpr (!reads_features) {
        adder(backend, batch.size).template operator()<operation>(logits_gradient);
      }
    }

    /// For the model's run_backward, which asks for hidden operations alone.
    auto adder(const Backend& backend, std::size_t batch) const {
      return AddToOperation<operation, Backend, Scalar>{backend, gradient_.data(), batch * student_width};
    }

   private:
    using Buffer = typename Backend::template Buffer<Scalar>;

    std::size_t capacity_;
    Buffer teacher_rows_;  // (batch, width)
    Buffer gradient_;      // (batch, student_width)
    Buffer scratch_;       // the term's own
  };
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
