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
#include "retort/backend/generic/feature_steps.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Gather, forward, loss, backward, clipping, optimizer. The constructor allocates everything, in the backend's memory;
/// a step allocates nothing and reads nothing back. `Term` takes the loss's term on features, if there is one.
template <Model M, typename Backend, typename Scalar, typename Term = internal::NoTerm>
class GenericSteps {
 public:
  static constexpr bool by_operations = true;

  /// For batches of up to `capacity` samples.
  GenericSteps(const Backend& backend, std::size_t capacity)
      : capacity_(capacity),
        inputs_(allocate(backend, capacity * M::input_size)),
        activations_(allocate(backend, activation_arena_size<M>(capacity))),
        logits_gradient_(allocate(backend, capacity * M::output_size)),
        scratch_(allocate(backend, pass_scratch_size<M>(capacity))),
        gradients_(allocate(backend, M::parameter_arena_size + Term::parameter_arena_size)),
        term_(backend, capacity) {
    // The optimizer also passes over the padding between tensors.
    fill_zero(backend, gradients_.data(), gradients_.size());
  }

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Backend& backend, const TrainingBatch& batch, const TrainingTarget<Scalar, Moments>& target,
            const L& loss, const Rule& rule) {
    const LayerRandom random{batch.seed, batch.step};
    gather_batch(backend, batch.data, batch.samples, batch.size, batch.view, inputs_.data());
    const Scalar* inputs = inputs_.data();
    const Scalar* parameters = target.parameters;
    const Scalar* logits = run_forward<M>(
        backend, ForwardArguments<Scalar>{parameters, target.buffers, inputs, activations_.data(), batch.size, random},
        capacity_);
    evaluate_loss(backend, loss, Width<M::output_size>{},
                  LossArguments<Scalar>{.student = logits,
                                        .teacher = target.teacher,
                                        .samples = batch.samples,
                                        .labels = batch.data.labels,
                                        .gradient = logits_gradient_.data(),
                                        .losses = target.losses,
                                        .correct = target.correct,
                                        .batch = batch.size});
    Scalar* regressor_gradients = gradients_.data() + M::parameter_arena_size;
    term_.evaluate(backend, batch, target, loss, std::as_const(activations_).data(), regressor_gradients);
    run_backward<M>(backend,
                    BackwardArguments<Scalar>{.parameters = parameters,
                                              .input = inputs,
                                              .output = activations_.data(),
                                              .output_gradient = logits_gradient_.data(),
                                              .input_gradient = nullptr,
                                              .parameter_gradients = gradients_.data(),
                                              .batch = batch.size,
                                              .random = random},
                    capacity_, scratch_.data(), term_.adder(backend, batch.size));
    if (target.clipping) {
      clip_gradients(backend, *target.clipping, gradients_.data(), gradients_.size());
    }
    update_parameters(backend, rule, target.parameters, std::as_const(gradients_).data(), target.moments,
                      M::parameter_arena_size);
    if constexpr (Term::parameter_arena_size > 0) {
      update_parameters(backend, rule, target.regressor_parameters, static_cast<const Scalar*>(regressor_gradients),
                        target.regressor_moments, Term::parameter_arena_size);
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

/// Takes every training.
struct GenericEngine {
  static constexpr std::string_view name = "single operations";
  template <typename T>
  static constexpr Refusal refusal() {
    return {};
  }
  template <typename T>
  using Steps = GenericSteps<typename T::Model, typename T::Backend, typename T::Scalar, internal::TermOf<T>>;
};

namespace detail {

template <typename T, typename OfEngines>
struct FirstEngine {
  using type = GenericEngine;
};
template <typename T, typename E, typename... Rest>
struct FirstEngine<T, std::tuple<E, Rest...>>
    : std::conditional_t<E::template refusal<T>().accepts(), std::type_identity<E>,
                         FirstEngine<T, std::tuple<Rest...>>> {};

}  // namespace detail

/// The first engine of the Training's backend that takes it, or GenericEngine.
template <typename T>
using EngineOf = typename detail::FirstEngine<T, typename Engines<typename T::Backend>::type>::type;

/// Its steps.
template <typename T>
using StepsOf = typename EngineOf<T>::template Steps<T>;

/// "single operations in float, not panels: LayerNorm (layer 1) is neither Linear nor pointwise": the engine that takes
/// the Training, and why those before it do not.
template <typename T>
[[gnu::cold]] std::string describe_engine() {
  using Chosen = EngineOf<T>;
  std::string text =
      concatenate({Chosen::name, std::is_same_v<typename T::Scalar, float> ? " in float" : " in double"});
  bool before = true;  // before the chosen one
  const auto add = [&]<typename E>() {
    before = before && !std::is_same_v<E, Chosen>;
    if (before) {
      text += concatenate({", not ", E::name, ": ", E::template refusal<T>().describe()});
    }
  };
  [&]<typename... E>(std::type_identity<std::tuple<E...>>) {
    (add.template operator()<E>(), ...);
  }(std::type_identity<typename Engines<typename T::Backend>::type>{});
  return text;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
