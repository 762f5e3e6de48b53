#pragma once
/// @file
/// A model of Linear and pointwise layers as blocks: a Linear and the run of pointwise layers behind it.

#include <array>
#include <cstddef>
#include <type_traits>

#include "retort/backend/chain.hpp"
#include "retort/backend/plan.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::backend::large {

/// In the place of a Chain where there are no pointwise layers.
struct NoChain {};

namespace detail {

template <typename Operation>
inline constexpr bool is_linear = false;
template <std::size_t In, std::size_t Out, Bias bias>
inline constexpr bool is_linear<Linear<In, Out, bias>> = true;

template <Model M>
constexpr bool is_large_model() {
  using Plan = backend::Plan<M>;
  bool linear = true;
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    linear = linear && (Plan::template is_chain<Index> || is_linear<typename Plan::template Operation<Index>>);
  });
  return linear;
}

/// Operation Index of a plan where that is a Chain, else NoChain.
template <typename Plan, std::size_t Index>
constexpr auto chain_at() {
  if constexpr (Index < Plan::size) {
    if constexpr (Plan::template is_chain<Index>) {
      return std::type_identity<typename Plan::template Operation<Index>>{};
    } else {
      return std::type_identity<NoChain>{};
    }
  } else {
    return std::type_identity<NoChain>{};
  }
}

}  // namespace detail

/// A model that LargeSteps can train: Linear and pointwise layers, in any order.
template <typename M>
concept LargeModel = Model<M> && detail::is_large_model<M>();

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
inline constexpr bool differentiable_by_output<Chain<Layers...>> = (std::is_same_v<Layers, ReLU> || ...) &&
                                                                   ((std::is_same_v<Layers, ReLU> ||
                                                                     DropoutLayer<Layers>)&&...);

template <LargeModel M>
struct Blocks {
  using Plan = backend::Plan<M>;
  /// What stands before the first Linear.
  using FrontChain = typename decltype(detail::chain_at<Plan, 0>())::type;

  static constexpr std::size_t size = [] {
    std::size_t count = 0;
    for_each_index<Plan::size>([&]<std::size_t Index>() { count += Plan::template is_chain<Index> ? 0 : 1; });
    return count;
  }();

  /// operation[i] is the place of block i's Linear in the plan.
  static constexpr std::array<std::size_t, size> operation = [] {
    std::array<std::size_t, size> result{};
    std::size_t count = 0;
    for_each_index<Plan::size>([&]<std::size_t Index>() {
      if (!Plan::template is_chain<Index>) {
        result[count++] = Index;
      }
    });
    return result;
  }();
};

/// Block Index of a model.
template <LargeModel M, std::size_t Index>
struct Block {
  using Plan = backend::Plan<M>;
  static constexpr std::size_t operation = Blocks<M>::operation[Index];
  using Linear = typename Plan::template Operation<operation>;
  using Chain = typename decltype(detail::chain_at<Plan, operation + 1>())::type;

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

}  // namespace retort::backend::large
