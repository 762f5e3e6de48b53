// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A training step made of a backend's single operations: gather, forward, loss, backward, clipping, optimizer. Every
/// backend can take it, with every model.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Everything is allocated by the constructor, in the backend's memory; a step allocates nothing and reads nothing
/// back.
template <Model M, typename Backend, typename Scalar>
class OperationSteps {
 public:
  /// For batches of up to `capacity` samples.
  OperationSteps(const Backend& backend, std::size_t capacity)
      : capacity_(capacity),
        inputs_(allocate(backend, capacity * M::input_size)),
        activations_(allocate(backend, activation_arena_size<M>(capacity))),
        logits_gradient_(allocate(backend, capacity * M::output_size)),
        scratch_(allocate(backend, pass_scratch_size<M>(capacity))),
        gradients_(allocate(backend, M::parameter_arena_size)) {
    // The optimizer also passes over what is between the tensors.
    fill_zero(backend, gradients_.data(), M::parameter_arena_size);
  }

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Backend& backend, const backend::TrainingBatch& batch,
            const backend::TrainingTarget<Scalar, Moments>& target, const L& loss, const Rule& rule) {
    const StepRandom random{batch.augmentation.seed, batch.step};
    gather_batch(backend, batch.data, batch.samples, batch.size, batch.augmentation, inputs_.data());
    const Scalar* inputs = inputs_.data();
    const Scalar* parameters = target.parameters;
    const Scalar* logits =
        run_forward<M>(backend, parameters, target.buffers, inputs, activations_.data(), batch.size, capacity_, random);
    evaluate_loss(backend, loss, backend::Width<M::output_size>{},
                  backend::LossArguments<Scalar>{.student = logits,
                                                 .teacher = target.teacher,
                                                 .samples = batch.samples,
                                                 .labels = batch.data.labels,
                                                 .gradient = logits_gradient_.data(),
                                                 .losses = target.losses,
                                                 .correct = target.correct,
                                                 .batch = batch.size});
    run_backward<M>(backend, parameters, inputs, std::as_const(activations_).data(),
                    std::as_const(logits_gradient_).data(), gradients_.data(), scratch_.data(), batch.size, capacity_,
                    random);
    if (target.clipping) {
      clip_gradients(backend, *target.clipping, gradients_.data(), gradients_.size());
    }
    update_parameters(backend, rule, target.parameters, std::as_const(gradients_).data(), target.moments,
                      gradients_.size());
  }

 private:
  using Buffer = typename Backend::template Buffer<Scalar>;

  static Buffer allocate(const Backend& backend, std::size_t count) { return backend.template allocate<Scalar>(count); }

  std::size_t capacity_;
  Buffer inputs_;  // (batch, in)
  Buffer activations_;
  Buffer logits_gradient_;  // (batch, classes)
  Buffer scratch_;
  Buffer gradients_;
};

namespace detail {

template <typename Backend, Model M, typename Scalar>
struct StepsOf {
  using Own = typename backend::OwnTrainingSteps<Backend, M, Scalar>::type;
  using type = std::conditional_t<std::is_void_v<Own>, std::type_identity<OperationSteps<M, Backend, Scalar>>,
                                  std::type_identity<Own>>::type;
};

}  // namespace detail

/// What takes the steps of a model on a backend: the backend's own class, or OperationSteps.
template <typename Backend, Model M, typename Scalar>
using StepsOf = typename detail::StepsOf<Backend, M, Scalar>::type;

}  // namespace retort::inline RETORT_INSTRUCTION_SET
