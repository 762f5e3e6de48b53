// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a loss with a term on features adds to a training step: the regressor after a hidden layer of the student, and
/// the gradient that comes back from it.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/feature_loss.hpp"
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

/// The seed of a regressor's initial values and dropout masks; it differs from the training's.
constexpr Seed regressor_seed(Seed seed) { return {seed.value + 0x9E3779B97F4A7C15u}; }

/// For a loss that takes logits alone.
struct NoTerm {
  static constexpr std::size_t parameter_arena_size = 0;

  template <typename Backend, typename Scalar>
  struct Steps {
    Steps(const Backend& /*backend*/, std::size_t /*capacity*/) {}
    void evaluate(auto&&... /*arguments*/) {}
    NothingAdded adder(const Backend& /*backend*/, std::size_t /*batch*/) const { return {}; }
  };
};

/// A term T between a layer of the model M and one of the teacher's.
template <typename T, Model M, Model TeacherModel>
struct TermBetween {
  static_assert(T::student_layer + 1 < M::layer_count,
                "retort: a term on features takes a hidden layer of the student");
  static_assert(T::teacher_layer < TeacherModel::layer_count,
                "retort: a term on features takes a layer that the teacher has");
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
  static constexpr std::size_t width = TeacherModel::widths[T::teacher_layer + 1];
  using Regressor = typename T::template Regressor<student_width, width>;
  static_assert(Regressor::input_size == student_width && Regressor::output_size == width,
                "retort: a term's Regressor goes from the width of the student's layer to that of the teacher's");
  static_assert(Regressor::buffer_arena_size == 0 && Regressor::parameter_arena_size > 0,
                "retort: a term's Regressor has parameters and no running statistics");
  static constexpr std::size_t parameter_arena_size = Regressor::parameter_arena_size;
  /// How many of the teacher's layers have to run for its features.
  static constexpr std::size_t teacher_layers = T::teacher_layer + 1;

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
                  Scalar* regressor_gradients) {
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
      return Adder{backend, student_gradient_.data(), batch * student_width};
    }

   private:
    using Buffer = typename Backend::template Buffer<Scalar>;

    struct Adder {
      const Backend& backend;
      const Scalar* addends;
      std::size_t count;

      template <std::size_t Index>
      void operator()(Scalar* gradient) const {
        if constexpr (Index == operation) {
          add(backend, addends, gradient, count);
        }
      }
    };

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

namespace detail {

template <typename T>
struct TermOf {
  using type = NoTerm;
};
template <typename T>
  requires FeatureLoss<typename T::Loss>
struct TermOf<T> {
  static_assert(
      requires { typename T::Teacher::model_type; },
      "retort: a term on features needs the teacher's type: train with a DistillationTrainer of a teacher network");
  using type = TermBetween<typename T::Loss::Term, typename T::Model, typename T::Teacher::model_type>;
};

}  // namespace detail

/// The term of a training's loss: TermBetween or NoTerm.
template <typename T>
using TermOf = typename detail::TermOf<T>::type;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
