// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The engine that takes every training, a step being a backend's single operations one after another; and the choice
/// of a training's engine.

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/backend/engine.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/generic/term_of.hpp"
#include "retort/backend/generic/weight_limit.hpp"
#include "retort/backend/steps_by_device.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Gather, forward, loss, backward, clipping, optimizer, limits. The constructor allocates everything, in the backend's
/// memory; a step allocates nothing and reads nothing back. `Term` takes the loss's term, if there is one.
template <Model M, typename Backend, typename Scalar, typename Term = internal::NoTerm>
class GenericSteps {
 public:
  static constexpr bool by_operations = true;

  /// For batches of up to `capacity` samples.
  GenericSteps(const Backend& backend, std::size_t capacity)
      : capacity_(capacity),
        inputs_(allocate(backend, capacity * M::input_size)),
        activations_(allocate(backend, internal::activation_arena_size<M>(capacity))),
        logits_gradient_(allocate(backend, capacity * M::output_size)),
        scratch_(allocate(backend, pass_scratch_size<M>(capacity))),
        gradients_(allocate(backend, M::parameter_arena_size + Term::parameter_arena_size)),
        term_(backend, capacity) {
    // The optimizer also passes over the padding between tensors.
    fill_zero(backend, gradients_.data(), gradients_.size());
  }

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Backend& backend, const TrainingBatch& batch, const TrainingState<Scalar, Moments>& state,
            const L& loss, const Rule& rule) {
    const LayerRandom random{batch.seed, batch.step};
    gather_batch(backend, batch.data, batch.samples, batch.size, batch.view, inputs_.data());
    const Scalar* inputs = inputs_.data();
    const Scalar* parameters = state.parameters;
    const Scalar* logits = internal::run_forward<M>(
        backend, ForwardArguments<Scalar>{parameters, state.buffers, inputs, activations_.data(), batch.size, random},
        capacity_);
    evaluate_loss(backend, loss, Width<M::output_size>{},
                  LossArguments<Scalar>{.student = logits,
                                        .teacher = state.teacher,
                                        .samples = batch.samples,
                                        .labels = batch.data.labels,
                                        .gradient = logits_gradient_.data(),
                                        .losses = state.losses,
                                        .correct = state.correct,
                                        .batch = batch.size,
                                        .targets = batch.data.targets});
    Scalar* regressor_gradients = gradients_.data() + M::parameter_arena_size;
    term_.evaluate(backend, batch, state, loss, std::as_const(activations_).data(), logits_gradient_.data(),
                   regressor_gradients);
    internal::run_backward<M>(backend,
                              BackwardArguments<Scalar>{.parameters = parameters,
                                                        .input = inputs,
                                                        .output = activations_.data(),
                                                        .output_gradient = logits_gradient_.data(),
                                                        .input_gradient = nullptr,
                                                        .parameter_gradients = gradients_.data(),
                                                        .batch = batch.size,
                                                        .random = random,
                                                        .buffers = state.buffers},
                              capacity_, scratch_.data(), term_.adder(backend, batch.size));
    if (state.clipping) {
      clip_gradients(backend, *state.clipping, gradients_.data(), gradients_.size());
    }
    update_parameters(backend, rule, state.parameters, std::as_const(gradients_).data(), state.moments,
                      M::parameter_arena_size);
    internal::limit_hidden_weights<M>(backend, rule, state);
    if constexpr (Term::parameter_arena_size > 0) {
      update_parameters(backend, rule, state.regressor_parameters, static_cast<const Scalar*>(regressor_gradients),
                        state.regressor_moments, Term::parameter_arena_size);
    }
  }

 private:
  using Buffer = typename Backend::template Buffer<Scalar>;

  static Buffer allocate(const Backend& backend, std::size_t count) { return backend.template allocate<Scalar>(count); }

  std::size_t capacity_;
  Buffer inputs_;  // (batch, in)
  Buffer activations_;
  Buffer logits_gradient_;  // (batch, classes)
  Buffer scratch_;
  Buffer gradients_;  // the model's, then the regressor's
  typename Term::template Steps<Backend, Scalar> term_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Takes every training.
struct GenericEngine {
  static constexpr std::string_view name = "single operations";
  template <typename T>
  using Steps = backend::GenericSteps<typename T::Model, typename T::Backend, typename T::Scalar, TermOf<T>>;
};

/// Whether an engine's answer depends on the device too.
template <typename E, typename T>
concept AsksDevice = requires(const typename T::Backend& backend) { E::template refusal_on<T>(backend); };

/// The steps of the first of the engines that takes the training by its types, or of GenericEngine; where that one asks
/// the device, also the steps of the next one.
template <typename T, typename OfEngines>
struct StepsOfFirst {
  using type = typename GenericEngine::Steps<T>;
};
template <typename T, typename E, typename... Rest>
struct StepsOfFirst<T, std::tuple<E, Rest...>> {
 private:
  static constexpr auto choose() {
    using Others = StepsOfFirst<T, std::tuple<Rest...>>;
    if constexpr (E::template refusal<T>()) {
      return Others();
    } else if constexpr (AsksDevice<E, T>) {
      return std::type_identity<StepsByDevice<T, E, typename Others::type>>();
    } else {
      return std::type_identity<typename E::template Steps<T>>();
    }
  }

 public:
  using type = typename decltype(choose())::type;
};

/// The steps of a training.
template <typename T>
using StepsOf = typename StepsOfFirst<T, typename backend::Engines<typename T::Backend>::type>::type;

/// "single operations in float, not panels: the loss has a term on hidden layers": the engine that takes the training,
/// and why those before it do not.
template <typename T>
[[gnu::cold]] std::string describe_engine([[maybe_unused]] const typename T::Backend& on) {
  std::string_view chosen;
  std::string refused;
  const auto ask = [&]<typename E>() {
    if (!chosen.empty()) {
      return;
    }
    constexpr backend::Refusal refusal = E::template refusal<T>();
    std::string reason = refusal.describe();
    if constexpr (!refusal && AsksDevice<E, T>) {
      reason = E::template refusal_on<T>(on);
    }
    if (reason.empty()) {
      chosen = E::name;
    } else {
      refused += concatenate({", not ", E::name, ": ", reason});
    }
  };
  [&]<typename... E>(std::type_identity<std::tuple<E...>>) {
    (ask.template operator()<E>(), ...);
  }(std::type_identity<typename backend::Engines<typename T::Backend>::type>{});
  return concatenate({chosen.empty() ? GenericEngine::name : chosen,
                      std::is_same_v<typename T::Scalar, float> ? " in float" : " in double", refused});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
