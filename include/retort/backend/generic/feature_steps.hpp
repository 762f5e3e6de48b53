// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a loss with a term on features adds to a training step: the regressor after a hidden layer of the student, and
/// the gradient that comes back from it.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/generic/term_layers.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The seed of a regressor's initial values and dropout masks; it differs from the training's.
constexpr Seed regressor_seed(Seed seed) { return {seed.value + 0x9E3779B97F4A7C15u}; }

/// A term T between a layer of the model M and one of the teacher's.
template <FeatureTerm T, Model M, Model TeacherModel>
struct TermBetween : TermLayers<T, M, TeacherModel> {
  using Layers = TermLayers<T, M, TeacherModel>;
  using Layers::operation;
  using Layers::student_width;
  using Layers::width;
  using Regressor = typename T::template Regressor<student_width, width>;
  static_assert(Regressor::input_size == student_width && Regressor::output_size == width,
                "retort: a term's Regressor goes from the width of the student's layer to that of the teacher's");
  static_assert(Regressor::buffer_arena_size == 0 && Regressor::parameter_arena_size > 0,
                "retort: a term's Regressor has parameters and no running statistics");
  static constexpr std::size_t parameter_arena_size = Regressor::parameter_arena_size;

  template <typename Backend, typename Scalar>
  class Steps {
   public:
    Steps(const Backend& backend, std::size_t capacity)
        : capacity_(capacity),
          activations_(allocate(backend, activation_arena_size<Regressor>(capacity))),
          gradient_(allocate(backend, capacity * width)),
          scratch_(allocate(backend, backend::pass_scratch_size<Regressor>(capacity))),
          student_gradient_(allocate(backend, capacity * student_width)) {}

    /// Adds the term to the samples' losses, and fills the regressor's gradients. `activations` are the model's.
    template <std::size_t Moments, typename L>
    void evaluate(const Backend& backend, const backend::TrainingBatch& batch,
                  const backend::TrainingState<Scalar, Moments>& state, const L& loss, const Scalar* activations,
                  Scalar* /*logits_gradient*/, Scalar* regressor_gradients) {
      const backend::LayerRandom random{regressor_seed(batch.seed), batch.step};
      const Scalar* features = activations + output_offset<M>(operation, capacity_);
      const Scalar* parameters = state.regressor_parameters;
      const Scalar* answers = run_forward<Regressor>(
          backend,
          backend::ForwardArguments<Scalar>{parameters, nullptr, features, activations_.data(), batch.size, random},
          capacity_);
      evaluate_term(backend, loss.term, backend::Width<width>{},
                    backend::TermArguments<Scalar>{.student = answers,
                                                   .teacher = state.teacher,
                                                   .samples = batch.samples,
                                                   .gradient = gradient_.data(),
                                                   .losses = state.losses,
                                                   .batch = batch.size});
      run_backward<Regressor>(backend,
                              backend::BackwardArguments<Scalar>{.parameters = parameters,
                                                                 .input = features,
                                                                 .output = activations_.data(),
                                                                 .output_gradient = gradient_.data(),
                                                                 .input_gradient = student_gradient_.data(),
                                                                 .parameter_gradients = regressor_gradients,
                                                                 .batch = batch.size,
                                                                 .random = random},
                              capacity_, scratch_.data());
    }

    /// For the model's run_backward: adds the gradient that evaluate() found to that of the student's layer.
    auto adder(const Backend& backend, std::size_t batch) const {
      return AddToOperation<operation, Backend, Scalar>{backend, student_gradient_.data(), batch * student_width};
    }

   private:
    using Buffer = typename Backend::template Buffer<Scalar>;

    static Buffer allocate(const Backend& backend, std::size_t count) {
      return backend.template allocate<Scalar>(count);
    }

    std::size_t capacity_;
    Buffer activations_;       // the regressor's
    Buffer gradient_;          // (batch, width)
    Buffer scratch_;           // for the backward pass
    Buffer student_gradient_;  // (batch, student_width)
  };
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
