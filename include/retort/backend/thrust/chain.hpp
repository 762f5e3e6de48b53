// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs of pointwise layers on Thrust, in one pass over memory: a bias before them where a Linear precedes them, then
/// each layer. Dropout masks are drawn anew in the backward pass instead of being stored.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// A chain on a batch's elements, a group of neighbours at a time. With `bias`, bias[element % Width] is added first,
/// and the sum kept in `biased` where that is not null.
template <typename C, bool training, std::size_t Width, typename Scalar>
struct ChainValues {
  const Scalar* input;
  Scalar* output;
  const Scalar* bias;  // (Width), or null
  Scalar* biased;      // the input with its bias, or null
  std::size_t size;
  LayerRandom random;

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * chain_group;
    const std::size_t count = size - begin < chain_group ? size - begin : chain_group;
    Scalar values[chain_group] = {};
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = input[begin + i];
      if (bias != nullptr) {
        values[i] += bias[(begin + i) % Width];
        if (biased != nullptr) {
          biased[begin + i] = values[i];
        }
      }
    }
    apply_chain<training, false>(C{}, random, group, values);
    for (std::size_t i = 0; i < count; ++i) {
      output[begin + i] = values[i];
    }
  }
};

template <typename C, typename Scalar>
struct ChainGradients {
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;
  std::size_t size;
  LayerRandom random;

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * chain_group;
    const std::size_t count = size - begin < chain_group ? size - begin : chain_group;
    Scalar values[chain_group] = {};
    Scalar gradients[chain_group] = {};
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = input[begin + i];
      gradients[i] = output_gradient[begin + i];
    }
    apply_chain<true, true>(C{}, random, group, values, gradients);
    for (std::size_t i = 0; i < count; ++i) {
      input_gradient[begin + i] = gradients[i];
    }
  }
};

constexpr std::size_t chain_groups(std::size_t elements) { return (elements + chain_group - 1) / chain_group; }

}  // namespace detail

template <typename System, typename Scalar, PointwiseLayer... Layers, std::size_t N>
void infer(const Thrust<System>& backend, Chain<Layers...>, Width<N>, const InferArguments<Scalar>& arguments) {
  const std::size_t size = arguments.batch * N;
  backend.for_each(detail::chain_groups(size),
                   detail::ChainValues<Chain<Layers...>, false, N, Scalar>{arguments.input, arguments.output, nullptr,
                                                                           nullptr, size, LayerRandom{}});
}

template <typename System, typename Scalar, PointwiseLayer... Layers, std::size_t N>
void forward(const Thrust<System>& backend, Chain<Layers...>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  const std::size_t size = arguments.batch * N;
  backend.for_each(detail::chain_groups(size),
                   detail::ChainValues<Chain<Layers...>, true, N, Scalar>{arguments.input, arguments.output, nullptr,
                                                                          nullptr, size, arguments.random});
}

template <typename System, typename Scalar, PointwiseLayer... Layers, std::size_t N>
void backward(const Thrust<System>& backend, Chain<Layers...>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  const std::size_t size = arguments.batch * N;
  backend.for_each(detail::chain_groups(size),
                   detail::ChainGradients<Chain<Layers...>, Scalar>{arguments.input, arguments.output_gradient,
                                                                    arguments.input_gradient, size, arguments.random});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
