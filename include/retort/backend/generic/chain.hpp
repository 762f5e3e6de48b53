// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs of pointwise layers in one pass over memory: first the bias, where a Linear comes before them, then each layer.
/// A group of elements goes through all of them while it is in registers or the first-level cache. Dropout masks are
/// drawn again in the backward pass instead of being stored.

#include <cstddef>
#include <source_location>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// Applies a chain to the group of elements that begins at `begin` of a batch: here four elements one by one, on a host
/// or a device. A backend may name another ChainKernel, such as one of SIMD vectors.
struct ScalarChain {
  static constexpr std::size_t group = internal::chain_group;

  template <bool training, bool differentiate, typename Scalar, PointwiseLayer... Layers>
  RETORT_HOST_DEVICE static void apply(Chain<Layers...> chain, const LayerRandom& random, std::size_t begin,
                                       Scalar* values, Scalar* gradients) {
    apply_chain<training, differentiate>(chain, random, begin / group, values, gradients);
  }
};

/// A chain on a batch's elements, a group a call. Adds bias[element % Width] first, if there is a bias, and keeps that
/// sum in `biased`, if it is not null.
template <typename C, bool training, typename Kernel, std::size_t Width, typename Scalar>
struct ChainValues {
  static constexpr std::size_t group_size = Kernel::group;

  const Scalar* input;
  Scalar* output;
  std::size_t size;
  LayerRandom random{};
  const Scalar* bias = nullptr;  // (Width), or null
  Scalar* biased = nullptr;      // the input plus its bias, or null

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * group_size;
    const std::size_t count = size - begin < group_size ? size - begin : group_size;
    alignas(arena_alignment) Scalar values[group_size] = {};
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = input[begin + i];
    }
    if (bias != nullptr) {
      if constexpr (group_size == internal::chain_group) {  // its values stay in a device's registers
        for (std::size_t i = 0; i < count; ++i) {
          values[i] += bias[(begin + i) % Width];
        }
      } else {
        for (std::size_t i = 0; i < count;) {
          const std::size_t column = (begin + i) % Width;
          const std::size_t run = count - i < Width - column ? count - i : Width - column;
          for (std::size_t k = 0; k < run; ++k) {
            values[i + k] += bias[column + k];
          }
          i += run;
        }
      }
      if (biased != nullptr) {
        for (std::size_t i = 0; i < count; ++i) {
          biased[begin + i] = values[i];
        }
      }
    }
    Kernel::template apply<training, false>(C{}, random, begin, values, static_cast<Scalar*>(nullptr));
    for (std::size_t i = 0; i < count; ++i) {
      output[begin + i] = values[i];
    }
  }
};

template <typename C, typename Kernel, typename Scalar>
struct ChainGradients {
  static constexpr std::size_t group_size = Kernel::group;

  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;
  std::size_t size;
  LayerRandom random;

  RETORT_HOST_DEVICE void operator()(std::size_t group) const {
    const std::size_t begin = group * group_size;
    const std::size_t count = size - begin < group_size ? size - begin : group_size;
    alignas(arena_alignment) Scalar values[group_size] = {};
    alignas(arena_alignment) Scalar gradients[group_size] = {};
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = input[begin + i];
      gradients[i] = output_gradient[begin + i];
    }
    Kernel::template apply<true, true>(C{}, random, begin, values, gradients);
    for (std::size_t i = 0; i < count; ++i) {
      input_gradient[begin + i] = gradients[i];
    }
  }
};

/// Calls a function object for each group of `size` elements.
template <typename B, typename Function>
void for_each_group(const B& backend, std::size_t size, const Function& function,
                    const std::source_location& where = std::source_location::current()) {
  constexpr std::size_t group = B::ChainKernel::group;
  for_each_of<group>(backend, (size + group - 1) / group, function, where);
}

}  // namespace detail

template <typename B, typename Scalar, PointwiseLayer... Layers, std::size_t N>
void infer(const Generic<B>& generic, Chain<Layers...>, Width<N>, const InferArguments<Scalar>& arguments) {
  if (!Chain<Layers...>::only_dropout || arguments.input != arguments.output) {
    const std::size_t size = arguments.batch * N;
    detail::for_each_group(generic.self(), size,
                           detail::ChainValues<Chain<Layers...>, false, typename B::ChainKernel, N, Scalar>{
                               arguments.input, arguments.output, size});
  }
}

template <typename B, typename Scalar, PointwiseLayer... Layers, std::size_t N>
void forward(const Generic<B>& generic, Chain<Layers...>, Width<N>, const ForwardArguments<Scalar>& arguments) {
  const std::size_t size = arguments.batch * N;
  detail::for_each_group(generic.self(), size,
                         detail::ChainValues<Chain<Layers...>, true, typename B::ChainKernel, N, Scalar>{
                             arguments.input, arguments.output, size, arguments.random});
}

template <typename B, typename Scalar, PointwiseLayer... Layers, std::size_t N>
void backward(const Generic<B>& generic, Chain<Layers...>, Width<N>, const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  const std::size_t size = arguments.batch * N;
  detail::for_each_group(
      generic.self(), size,
      detail::ChainGradients<Chain<Layers...>, typename B::ChainKernel, Scalar>{
          arguments.input, arguments.output_gradient, arguments.input_gradient, size, arguments.random});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
