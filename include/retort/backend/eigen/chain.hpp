// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Runs of pointwise layers on the Eigen backend: a block of elements goes through all of them while it is in the
/// first-level cache. A dropout mask is drawn anew in the backward pass instead of being stored.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/elementwise.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/layer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// Elements that go through a chain together. Their number is fixed, so that each element goes through the same SIMD
/// instructions wherever it lies: an exponential of SIMD vectors and one of the standard library differ in the last bit.
inline constexpr std::size_t chain_block = 64;

template <typename Scalar>
struct ChainBlock {
  alignas(arena_alignment) std::array<Scalar, chain_block> values{};
};

template <PointwiseLayer L, bool training, bool differentiate, typename Scalar>
void apply_to_block(const LayerRandom& random, std::size_t begin, ChainBlock<Scalar>& x, ChainBlock<Scalar>& gradient) {
  if constexpr (ElementwiseLayer<L>) {
    apply_elementwise<L, differentiate, simd::Vector<Scalar>>(chain_block, x.values.data(), gradient.values.data());
  } else if constexpr (training) {
    constexpr auto scale = static_cast<Scalar>(L::scale);
    std::array<std::uint32_t, chain_block> words;
    random.stream(Stream::dropout).template fill_blocks<chain_block / 4>(begin / 4, words);
    for (std::size_t i = 0; i < chain_block; ++i) {
      x.values[i] = words[i] < L::threshold ? Scalar{0} : x.values[i] * scale;
      if constexpr (differentiate) {
        gradient.values[i] = words[i] < L::threshold ? Scalar{0} : gradient.values[i] * scale;
      }
    }
  }
}

template <bool training, bool differentiate, typename Scalar, PointwiseLayer... Layers>
void apply_to_block(Chain<Layers...>, LayerRandom random, std::size_t begin, ChainBlock<Scalar>& x,
                    ChainBlock<Scalar>& gradient) {
  (static_cast<void>((apply_to_block<Layers, training, differentiate>(random, begin, x, gradient), ++random.layer)),
   ...);
}

/// Elements [begin, begin + count) of a batch. Precondition: begin is a multiple of chain_block.
template <bool training, typename C, typename Scalar>
void chain_values(C chain, const LayerRandom& random, const Scalar* input, Scalar* output, std::size_t begin,
                  std::size_t count) {
  ChainBlock<Scalar> unused;
  for (std::size_t at = begin; at < begin + count; at += chain_block) {
    const std::size_t size = std::min(chain_block, begin + count - at);
    ChainBlock<Scalar> x;
    std::copy_n(input + at, size, x.values.begin());
    apply_to_block<training, false>(chain, random, at, x, unused);
    std::copy_n(x.values.begin(), size, output + at);
  }
}

template <typename C, typename Scalar>
void chain_gradients(C chain, const BackwardArguments<Scalar>& arguments, std::size_t begin, std::size_t count) {
  for (std::size_t at = begin; at < begin + count; at += chain_block) {
    const std::size_t size = std::min(chain_block, begin + count - at);
    ChainBlock<Scalar> x;
    ChainBlock<Scalar> gradient;
    std::copy_n(arguments.input + at, size, x.values.begin());
    std::copy_n(arguments.output_gradient + at, size, gradient.values.begin());
    apply_to_block<true, true>(chain, arguments.random, at, x, gradient);
    std::copy_n(gradient.values.begin(), size, arguments.input_gradient + at);
  }
}

}  // namespace detail

/// On the calling thread.
template <typename Scalar, PointwiseLayer... Layers, std::size_t N>
void infer(const Eigen&, Chain<Layers...> chain, Width<N>, const InferArguments<Scalar>& arguments) {
  if constexpr (!Chain<Layers...>::only_dropout) {
    detail::chain_values<false>(chain, LayerRandom{}, arguments.input, arguments.output, 0, arguments.batch * N);
  } else if (arguments.input != arguments.output) {
    std::copy_n(arguments.input, arguments.batch * N, arguments.output);
  }
}

template <typename Scalar, PointwiseLayer... Layers, std::size_t N>
void forward(const Eigen& backend, Chain<Layers...> chain, Width<N>, const ForwardArguments<Scalar>& arguments) {
  detail::for_each_flat_chunk(backend, arguments.batch * N, [&](std::size_t begin, std::size_t count) {
    detail::chain_values<true>(chain, arguments.random, arguments.input, arguments.output, begin, count);
  });
}

template <typename Scalar, PointwiseLayer... Layers, std::size_t N>
void backward(const Eigen& backend, Chain<Layers...> chain, Width<N>, const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  detail::for_each_flat_chunk(backend, arguments.batch * N, [&](std::size_t begin, std::size_t count) {
    detail::chain_gradients(chain, arguments, begin, count);
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
