// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What GraphSteps keeps in the backend's memory.

#include <cstddef>
#include <type_traits>

#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/backend/generic/reduction.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Whether the input of a stage's chain is kept for the backward pass; else its output is enough. The last stage's
/// outputs are the logits, which are kept apart.
template <typename S>
inline constexpr bool keeps_sums =
    S::has_chain && (S::is_last || !internal::differentiable_by_output<typename S::Chain>);

namespace detail {

/// Elements before the activations that enter stage `index`, for one sample: the sum of the earlier widths.
template <FullyConnectedModel M>
constexpr std::size_t input_offset(std::size_t index) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < index; ++i) {
    offset += internal::aligned_extent(Plan<M>::widths[Plan<M>::linear_operation[i]]);
  }
  return offset;
}

/// The same for the sums that are kept after stage Index.
template <FullyConnectedModel M, std::size_t Index>
constexpr std::size_t sums_offset() {
  if constexpr (Index == 0) {
    return 0;
  } else {
    using Before = Stage<M, Index - 1>;
    return sums_offset<M, Index - 1>() + (keeps_sums<Before> ? internal::aligned_extent(Before::out) : 0);
  }
}

}  // namespace detail

template <FullyConnectedModel M, typename Scalar, typename System, Precision precision>
struct Workspace {
  using Factor = Operand<Scalar, precision>;
  template <typename T>
  using Buffer = typename Thrust<System>::template Buffer<T>;

  std::size_t capacity;
  Buffer<std::byte> arguments;
  Buffer<Factor> inputs;  // of every stage
  Buffer<Scalar> kept;    // inputs of the chains whose backward pass needs them
  Buffer<Scalar> logits;  // (batch, classes)
  Buffer<Scalar> logits_gradient;
  Buffer<Scalar> flow;             // (batch, widest): a product's result for the chain after it
  Buffer<Factor> output_gradient;  // (batch, widest): a Linear's, the factor of its two products back
  Buffer<Scalar> gradients;        // laid out as the parameters
  Buffer<Factor> weights;          // likewise; empty where the parameters themselves are factors
  Buffer<double> norm;
  Buffer<Scalar> clip_factor;

  Workspace(const Thrust<System>& backend, std::size_t batch)
      : capacity(batch),
        arguments(backend.template allocate<std::byte>(arguments_capacity)),
        inputs(backend.template allocate<Factor>(batch * detail::input_offset<M>(Plan<M>::linear_count))),
        kept(backend.template allocate<Scalar>(batch * detail::sums_offset<M, Plan<M>::linear_count>())),
        logits(backend.template allocate<Scalar>(batch * M::output_size)),
        logits_gradient(backend.template allocate<Scalar>(batch * M::output_size)),
        flow(backend.template allocate<Scalar>(batch * Plan<M>::widest)),
        output_gradient(backend.template allocate<Factor>(batch * Plan<M>::widest)),
        gradients(backend.template allocate<Scalar>(M::parameter_arena_size)),
        weights(backend.template allocate<Factor>(std::is_same_v<Factor, Scalar> ? 0 : M::parameter_arena_size)),
        norm(backend.template allocate<double>(
            backend::detail::sum_scratch_size<Thrust<System>>(M::parameter_arena_size))),
        clip_factor(backend.template allocate<Scalar>(1)) {}

  /// (batch, in): what enters stage Index.
  template <std::size_t Index>
  Factor* input() {
    return inputs.data() + capacity * detail::input_offset<M>(Index);
  }

  /// (batch, out): the output, which is the next stage's input or the logits.
  template <std::size_t Index>
  auto* output() {
    if constexpr (Stage<M, Index>::is_last) {
      return logits.data();
    } else {
      return input<Index + 1>();
    }
  }

  /// (batch, out): the Linear's sums, which its chain reads.
  template <std::size_t Index>
  Scalar* sums() {
    if constexpr (keeps_sums<Stage<M, Index>>) {
      return kept.data() + capacity * detail::sums_offset<M, Index>();
    } else {
      return flow.data();
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
