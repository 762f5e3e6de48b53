// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a backend must provide. A backend is a copyable handle type with memory of its own. Its free functions are
/// found by argument-dependent lookup on its type; the compiler names the first concept below that a type does not
/// satisfy, and so the missing operation. docs/write_your_own_backend.md shows a complete one.
///
/// - members: `name`, `host_memory`, `report_interval`, `Buffer<T>`, `allocate<T>(count)`, `describe()`, and
///   `shares_memory_with(other)` where `host_memory` is false
/// - its memory: `copy_to_host(backend, from, span)`, `copy_from_host(backend, span, to)`,
///   `fill_zero(backend, values, count)`
/// - each sized layer and each Chain: `infer(backend, layer, Width<In>{}, InferArguments)` outside of training,
///   `forward(backend, layer, Width<In>{}, ForwardArguments)` and
///   `backward(backend, layer, Width<In>{}, BackwardArguments)` in a training step
/// - any Loss: `evaluate_loss(backend, loss, Width<Classes>{}, LossArguments)`, and
///   `sum_losses(backend, losses, correct, count)` -> LossSum
/// - any FeatureTerm: `evaluate_term(backend, term, Width<Features>{}, TermArguments)`, any BatchTerm:
///   `evaluate_term(backend, term, Width<Student>{}, Width<Teacher>{}, TermArguments)`, and
///   `add(backend, addends, values, count)`
/// - any Optimizer: `update_parameters(backend, rule, parameters, gradients, moments, size)`, and
///   `clip_gradients(backend, clipping, gradients, size)`
/// - each Linear: `limit_weights(backend, layer, WeightLimit, parameters)`
/// - `all_finite(backend, values, size)` -> bool
/// - an epoch's order: `shuffle_samples(backend, permutation, order)`
/// - training batches: `gather_batch(backend, data, samples, count, view, inputs)`
/// - a whole model outside of training: `predict_batch(backend, model, InferArguments)`,
///   `predict_dataset(backend, model, parameters, buffers, data, logits)`
///
/// A backend may also provide `processor(by_operations)`, a text that differs where the same program gives other bits
/// (a kind of GPU, a library of products); without it that is the instruction set (core/instruction_set.hpp). A
/// checkpoint can be resumed only where the text is the same. `by_operations`: whether training computes the model by
/// single operations.
///
/// A backend whose `predict_batch` is slow for a few samples may also provide `predict_samples`, with the same
/// arguments, for Network::predict. A training asks by `predict_batch` alone, so that programs which only train do not
/// compile both. If `predict_batch` rounds more than that, a constant member `rounds_batches`, true, says so: a file's
/// example is then answered by `predict_samples`.
///
/// A backend with threads may also provide `for_each_on_one_thread(backend, count, work)`, by which a Sweep trains a
/// student on each of them: work(index, alone) for every index in [0, count), several at once, each with a backend of
/// one thread that shares the memory.
///
/// A backend whose threads compute without subnormal numbers (internal::FlushSubnormals) says so by a constant member
/// `flushes_subnormals`, true: the thread that trains then does so too.
///
/// An operation that returns a value, and copy_to_host, wait for all earlier operations; the others may return at once,
/// as long as they take effect in the order of the calls. Two handles that share memory do not wait for each other: a
/// trainer waits, by copy_to_host, where it reads another handle's network.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hint.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/similarity_preserving.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/max_norm.hpp"
#include "retort/optim/sgd.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Whether a backend says so (see above).
template <typename B>
constexpr bool flushes_subnormals = requires { requires B::flushes_subnormals; };

template <typename B>
concept DescribesItself = requires(const B& backend) {
  { B::name } -> std::convertible_to<std::string>;
  { B::host_memory } -> std::convertible_to<bool>;
  { B::report_interval } -> std::convertible_to<std::size_t>;
  { backend.describe() } -> std::convertible_to<std::string>;
};

template <typename B, typename T>
concept AllocatesBuffers = requires(const B& backend, typename B::template Buffer<T>& buffer) {
  { backend.template allocate<T>(std::size_t{1}) } -> std::same_as<typename B::template Buffer<T>>;
  { buffer.data() } -> std::same_as<T*>;
  { buffer.size() } -> std::convertible_to<std::size_t>;
} && std::copyable<typename B::template Buffer<T>> && std::default_initializable<typename B::template Buffer<T>>;

template <typename B, typename T>
concept CopiesBuffers =
    requires(const B& backend, T* values, const T* constants, std::span<T> host, std::span<const T> host_constants) {
      copy_to_host(backend, constants, host);
      copy_from_host(backend, host_constants, values);
      fill_zero(backend, values, std::size_t{1});
    };

/// Whether a handle can tell if it can use another's buffers. Not needed where all memory is the host's.
template <typename B>
concept KnowsSharedMemory = B::host_memory || requires(const B& backend) {
  { backend.shares_memory_with(backend) } -> std::same_as<bool>;
};

template <typename B, typename L, std::size_t In, typename Scalar>
concept InfersLayer = requires(const B& backend, const InferArguments<Scalar>& arguments) {
  infer(backend, L{}, Width<In>{}, arguments);
};

template <typename B, typename L, std::size_t In, typename Scalar>
concept ForwardsLayer = requires(const B& backend, const ForwardArguments<Scalar>& arguments) {
  forward(backend, L{}, Width<In>{}, arguments);
};

template <typename B, typename L, std::size_t In, typename Scalar>
concept BackwardsLayer = requires(const B& backend, const BackwardArguments<Scalar>& arguments) {
  backward(backend, L{}, Width<In>{}, arguments);
};

template <typename B, typename L, std::size_t In, typename Scalar>
concept RunsLayer =
    InfersLayer<B, L, In, Scalar> && ForwardsLayer<B, L, In, Scalar> && BackwardsLayer<B, L, In, Scalar>;

template <typename B, typename Scalar>
concept EvaluatesLosses = requires(const B& backend, const LossArguments<Scalar>& arguments) {
  evaluate_loss(backend, CrossEntropy{}, Width<10>{}, arguments);
  evaluate_loss(backend, HintonLoss{}, Width<10>{}, arguments);
};

template <typename B, typename Scalar>
concept EvaluatesTerms = requires(const B& backend, const TermArguments<Scalar>& arguments, Scalar* values) {
  evaluate_term(backend, Hint<0, 0>{}, Width<10>{}, arguments);
  evaluate_term(backend, SimilarityPreserving<0, 0>{}, Width<10>{}, Width<7>{}, arguments);
  add(backend, static_cast<const Scalar*>(values), values, std::size_t{1});
};

template <typename B, typename Scalar>
concept SumsLosses = requires(const B& backend, const Scalar* losses, const std::uint8_t* correct) {
  { sum_losses(backend, losses, correct, std::size_t{1}) } -> std::same_as<LossSum>;
};

template <typename B, typename Scalar>
concept ClipsGradients = requires(const B& backend, Scalar* gradients) {
  clip_gradients(backend, GradientClipping{}, gradients, std::size_t{1});
};

template <typename B, typename Scalar>
concept UpdatesParameters =
    requires(const B& backend, Scalar* values, const Scalar* gradients,
             const std::array<Scalar*, Adam::moment_count>& two, const std::array<Scalar*, Sgd::moment_count>& one) {
      update_parameters(backend, Adam{}.template rule<Scalar>(1, 0.1), values, gradients, two, std::size_t{1});
      update_parameters(backend, Sgd{}.template rule<Scalar>(1, 0.1), values, gradients, one, std::size_t{1});
    };

template <typename B, typename Scalar>
concept LimitsWeights = requires(const B& backend, Scalar* parameters) {
  limit_weights(backend, Linear<3, 2>{}, WeightLimit{1.0}, parameters);
};

template <typename B, typename Scalar>
concept FindsDivergence = requires(const B& backend, const Scalar* values) {
  { all_finite(backend, values, std::size_t{1}) } -> std::same_as<bool>;
};

template <typename B>
concept ShufflesSamples = requires(const B& backend, const RandomPermutation& permutation, std::uint32_t* order) {
  shuffle_samples(backend, permutation, order);
};

template <typename B, typename Scalar>
concept GathersBatches =
    requires(const B& backend, const data::DatasetView& data, const std::uint32_t* samples, Scalar* inputs) {
      gather_batch(backend, data, samples, std::size_t{1}, data::View{}, inputs);
    };

template <typename B, typename Scalar>
concept PredictsModels = requires(const B& backend, const Scalar* in, Scalar* logits, const data::DatasetView& data) {
  predict_batch(backend, Sequential<Linear<3, 2>>{}, InferArguments<Scalar>{in, in, in, logits, 1});
  predict_dataset(backend, Sequential<Linear<3, 2>>{}, in, in, data, logits);
};

/// Everything a Network and a trainer of `Scalar` ask of a backend. The layers stand for their kinds: sized layers each
/// have operations of their own, all Chains share one.
template <typename B, typename Scalar = float>
concept Backend =
    std::copyable<B> && DescribesItself<B> && AllocatesBuffers<B, Scalar> && AllocatesBuffers<B, std::uint32_t> &&
    AllocatesBuffers<B, std::uint8_t> && CopiesBuffers<B, Scalar> && CopiesBuffers<B, std::uint32_t> &&
    CopiesBuffers<B, std::uint8_t> && KnowsSharedMemory<B> && RunsLayer<B, Linear<3, 2>, 3, Scalar> &&
    RunsLayer<B, Chain<Dropout<0.5>, ReLU>, 3, Scalar> && RunsLayer<B, LayerNorm<3>, 3, Scalar> &&
    RunsLayer<B, BatchNorm<3>, 3, Scalar> && RunsLayer<B, AvgPool2d<Shape<1, 2, 2>, 2>, 4, Scalar> &&
    EvaluatesLosses<B, Scalar> && EvaluatesTerms<B, Scalar> && SumsLosses<B, Scalar> && ClipsGradients<B, Scalar> &&
    UpdatesParameters<B, Scalar> && LimitsWeights<B, Scalar> && FindsDivergence<B, Scalar> && ShufflesSamples<B> &&
    GathersBatches<B, Scalar> && PredictsModels<B, Scalar>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
