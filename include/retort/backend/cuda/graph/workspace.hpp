// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What GraphSteps keeps in the backend's memory.

#include <cstddef>
#include <type_traits>

#include "retort/backend/cuda/graph/blocks.hpp"
#include "retort/backend/cuda/graph/clip_factor.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

namespace detail {

/// Elements in front of the activations that enter block `index`, in rows of one sample: the widths add up.
template <GraphModel M>
constexpr std::size_t input_offset(std::size_t index) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < index; ++i) {
    offset += aligned_extent(Blocks<M>::Plan::widths[Blocks<M>::Plan::linear_operation[i]]);
  }
  return offset;
}

/// The same of the sums that are kept behind block `index`.
template <GraphModel M, std::size_t Index>
constexpr std::size_t sums_offset() {
  if constexpr (Index == 0) {
    return 0;
  } else {
    using Before = Block<M, Index - 1>;
    return sums_offset<M, Index - 1>() + (Before::keeps_sums ? aligned_extent(Before::out) : 0);
  }
}

template <GraphModel M>
constexpr std::size_t all_sums() {
  constexpr std::size_t last = Blocks<M>::size - 1;
  return sums_offset<M, last>() + (Block<M, last>::keeps_sums ? aligned_extent(Block<M, last>::out) : 0);
}

}  // namespace detail

template <GraphModel M, typename Scalar, typename System, Precision precision>
struct Memory {
  using Factor = Operand<Scalar, precision>;
  template <typename T>
  using Buffer = typename Thrust<System>::template Buffer<T>;

  std::size_t capacity;
  Buffer<std::byte> arguments;
  Buffer<Factor> inputs;  // of each block
  Buffer<Scalar> kept;    // what enters the chains that need it in the backward pass
  Buffer<Scalar> logits;  // (batch, classes)
  Buffer<Scalar> logits_gradient;
  Buffer<Scalar> flow;             // (batch, widest): a product's result for the chain behind it
  Buffer<Factor> output_gradient;  // (batch, widest): of a Linear, a factor of its two products back
  Buffer<Scalar> gradients;        // laid out as the parameters
  Buffer<Factor> weights;          // likewise; empty where the parameters themselves are factors
  Buffer<double> norm;
  Buffer<Scalar> clip_factor;

  Memory(const Thrust<System>& backend, std::size_t batch)
      : capacity(batch),
        arguments(backend.template allocate<std::byte>(arguments_capacity)),
        inputs(backend.template allocate<Factor>(batch * detail::input_offset<M>(Blocks<M>::size))),
        kept(backend.template allocate<Scalar>(batch * detail::all_sums<M>())),
        logits(backend.template allocate<Scalar>(batch * M::output_size)),
        logits_gradient(backend.template allocate<Scalar>(batch * M::output_size)),
        flow(backend.template allocate<Scalar>(batch * Plan<M>::widest)),
        output_gradient(backend.template allocate<Factor>(batch * Plan<M>::widest)),
        gradients(backend.template allocate<Scalar>(M::parameter_arena_size)),
        weights(backend.template allocate<Factor>(std::is_same_v<Factor, Scalar> ? 0 : M::parameter_arena_size)),
        norm(backend.template allocate<double>(clip_scratch_size())),
        clip_factor(backend.template allocate<Scalar>(1)) {}

  /// (batch, in): what enters block Index.
  template <std::size_t Index>
  Factor* input() {
    return inputs.data() + capacity * detail::input_offset<M>(Index);
  }

  /// (batch, out): what leaves it, the next block's input or the logits.
  template <std::size_t Index>
  auto* output() {
    if constexpr (Block<M, Index>::is_last) {
      return logits.data();
    } else {
      return input<Index + 1>();
    }
  }

  /// (batch, out): what its Linear gives to its chain.
  template <std::size_t Index>
  Scalar* sums() {
    if constexpr (Block<M, Index>::keeps_sums) {
      return kept.data() + capacity * detail::sums_offset<M, Index>();
    } else {
      return flow.data();
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
