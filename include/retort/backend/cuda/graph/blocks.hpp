// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model of Linear and pointwise layers as blocks: a Linear and the run of pointwise layers behind it.

#include <cstddef>
#include <type_traits>

#include "retort/backend/chain.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// A model that GraphSteps can train: Linear and pointwise layers, in any order.
template <typename M>
concept GraphModel = FullyConnectedModel<M>;

/// Whether a chain is nothing but ReLU.
template <typename C>
inline constexpr bool is_relu = false;
template <>
inline constexpr bool is_relu<Chain<ReLU>> = true;

/// Whether a chain's output tells its derivative: of ReLU and dropout, with a ReLU among them. Where the output is
/// above 0 all of it was kept, elsewhere the derivative is 0.
template <typename C>
inline constexpr bool differentiable_by_output = false;
template <PointwiseLayer... Layers>
inline constexpr bool differentiable_by_output<Chain<Layers...>> =
    (std::is_same_v<Layers, ReLU> || ...) && ((std::is_same_v<Layers, ReLU> || DropoutLayer<Layers>) && ...);

template <GraphModel M>
struct Blocks {
  using Plan = backend::Plan<M>;
  /// What stands before the first Linear.
  using FrontChain = ChainAt<Plan, 0>;

  static constexpr std::size_t size = Plan::linear_count;
};

/// Block Index of a model.
template <GraphModel M, std::size_t Index>
struct Block {
  using Plan = backend::Plan<M>;
  static constexpr std::size_t operation = Plan::linear_operation[Index];
  using Linear = typename Plan::template Operation<operation>;
  using Chain = ChainAt<Plan, operation + 1>;

  static constexpr bool is_last = Index + 1 == Blocks<M>::size;
  static constexpr std::size_t in = Linear::input_size;
  static constexpr std::size_t out = Linear::output_size;
  /// Of the chain's first layer, for its random numbers.
  static constexpr std::size_t chain_layer = Plan::first_layer[operation] + 1;
  /// In elements from the beginning of an arena of parameters.
  static constexpr std::size_t weight_offset = M::parameter_offset(Plan::first_layer[operation]);
  static constexpr std::size_t bias_offset = weight_offset + tensor_offset(Linear::parameters, 1);

  static constexpr bool has_chain = !std::is_same_v<Chain, NoChain>;
  /// Whether the chain's input is kept for the backward pass; else its output is enough. The last block's output are
  /// the logits, which are kept apart.
  static constexpr bool keeps_sums = has_chain && (is_last || !differentiable_by_output<Chain>);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
