#pragma once
/// @file
/// What a backend must provide. A backend is a copyable handle type with free functions beside it, found by
/// argument-dependent lookup on its type; the compiler names the first concept below that a type does not satisfy, and
/// so the missing operation.
///
/// | operation | for |
/// |---|---|
/// | `infer(backend, layer, Width<In>{}, InferArguments)` | each layer, outside of training |
/// | `forward(backend, layer, Width<In>{}, ForwardArguments)` | each layer, in a training step |
/// | `backward(backend, layer, Width<In>{}, BackwardArguments)` | likewise |
/// | `evaluate_loss(backend, loss, Width<Classes>{}, LossArguments)` -> LossSum | any Loss |
/// | `update_parameters(backend, rule, parameters, gradients, moments, size)` | any Optimizer's rule |
/// | `squared_norm`, `scale_values` | gradient clipping |
/// | `gather_batch(backend, data, indices, shift, seed, epoch, inputs)` | training batches |
/// | `predict_batch`, `predict_dataset` | a whole model, outside of training |

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "retort/backend/arguments.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/adam.hpp"

namespace retort::backend {

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
  { evaluate_loss(backend, CrossEntropy{}, Width<10>{}, arguments) } -> std::same_as<LossSum>;
};

template <typename B, typename Scalar>
concept UpdatesParameters =
    requires(const B& backend, Scalar* values, const Scalar* gradients, const std::array<Scalar*, 2>& moments) {
      update_parameters(backend, Adam{}.template rule<Scalar>(1, 0.1), values, gradients, moments, std::size_t{1});
    };

template <typename B, typename Scalar>
concept ClipsGradients = requires(const B& backend, Scalar* values) {
  { squared_norm(backend, static_cast<const Scalar*>(values), std::size_t{1}) } -> std::same_as<double>;
  scale_values(backend, values, std::size_t{1}, Scalar{1});
};

template <typename B, typename Scalar>
concept GathersBatches =
    requires(const B& backend, const data::DatasetView& data, std::span<const std::uint32_t> indices, Scalar* inputs) {
      gather_batch(backend, data, indices, data::RandomShift{}, Seed{}, std::uint32_t{}, inputs);
    };

template <typename B, typename Scalar>
concept PredictsModels = requires(const B& backend, const Scalar* in, Scalar* logits, const data::DatasetView& data) {
  predict_batch(backend, Sequential<Linear<3, 2>>{}, in, in, in, logits, std::size_t{1});
  predict_dataset(backend, Sequential<Linear<3, 2>>{}, in, in, data, logits);
};

/// Everything a Network and a trainer of `Scalar` ask of a backend. The layers stand for their kinds: sized layers each
/// have operations of their own, all elementwise layers share one.
template <typename B, typename Scalar = float>
concept Backend = std::copyable<B> && RunsLayer<B, Linear<3, 2>, 3, Scalar> && RunsLayer<B, ReLU, 3, Scalar> &&
                  RunsLayer<B, Dropout<0.5>, 3, Scalar> && RunsLayer<B, LayerNorm<3>, 3, Scalar> &&
                  RunsLayer<B, BatchNorm<3>, 3, Scalar> && EvaluatesLosses<B, Scalar> && UpdatesParameters<B, Scalar> &&
                  ClipsGradients<B, Scalar> && GathersBatches<B, Scalar> && PredictsModels<B, Scalar>;

}  // namespace retort::backend
