// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model as the operations that a backend is asked for: each sized layer is one, each run of pointwise layers between
/// them is one Chain.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// A layer before a tuple of operations: part of its first Chain where possible, else an operation of its own.
template <typename L, typename Operations>
struct Prepended;
template <SizedLayer L, typename... Operations>
struct Prepended<L, std::tuple<Operations...>> {
  using type = std::tuple<L, Operations...>;
};
template <PointwiseLayer L, typename... Operations>
struct Prepended<L, std::tuple<Operations...>> {
  using type = std::tuple<Chain<L>, Operations...>;
};
template <PointwiseLayer L, PointwiseLayer... Chained, typename... Operations>
struct Prepended<L, std::tuple<Chain<Chained...>, Operations...>> {
  using type = std::tuple<Chain<L, Chained...>, Operations...>;
};

template <typename... Layers>
struct Grouped {
  using type = std::tuple<>;
};
template <typename First, typename... Rest>
struct Grouped<First, Rest...> {
  using type = typename Prepended<First, typename Grouped<Rest...>::type>::type;
};

template <typename Operation>
inline constexpr std::size_t layers_in = 1;
template <PointwiseLayer... Layers>
inline constexpr std::size_t layers_in<Chain<Layers...>> = sizeof...(Layers);

template <typename Operation>
inline constexpr bool is_chain = false;
template <PointwiseLayer... Layers>
inline constexpr bool is_chain<Chain<Layers...>> = true;

template <typename Operation>
inline constexpr bool is_linear = false;
template <std::size_t In, std::size_t Out, Bias bias>
inline constexpr bool is_linear<Linear<In, Out, bias>> = true;

template <typename M>
struct LayersOf;
template <Layer... Layers>
struct LayersOf<Sequential<Layers...>> {
  using type = typename Grouped<Layers...>::type;
};

}  // namespace detail

/// The operations of a model, from its input to its output.
template <Model M>
struct Plan {
  using Operations = typename detail::LayersOf<M>::type;

  static constexpr std::size_t size = std::tuple_size_v<Operations>;
  template <std::size_t Index>
  using Operation = std::tuple_element_t<Index, Operations>;
  template <std::size_t Index>
  static constexpr bool is_chain = detail::is_chain<Operation<Index>>;
  template <std::size_t Index>
  static constexpr bool is_linear = detail::is_linear<Operation<Index>>;

  /// The number of Linear layers among the operations; linear_operation[i] is the i-th.
  static constexpr std::size_t linear_count = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return (std::size_t{is_linear<Index>} + ... + 0);
  }(std::make_index_sequence<size>{});
  static constexpr std::array<std::size_t, linear_count> linear_operation =
      []<std::size_t... Index>(std::index_sequence<Index...>) {
        std::array<std::size_t, linear_count> result{};
        std::size_t count = 0;
        (static_cast<void>(is_linear<Index> ? result[count++] = Index : 0), ...);
        return result;
      }(std::make_index_sequence<size>{});

  /// How many Linear layers stand before operation Index: for one that is a Linear, its stage.
  template <std::size_t Index>
  static constexpr std::size_t stage_of = static_cast<std::size_t>(
      std::lower_bound(linear_operation.begin(), linear_operation.end(), Index) - linear_operation.begin());

  /// first_layer[i] is the model's index of operation i's first layer; first_layer[size] is the model's number of
  /// layers.
  static constexpr std::array<std::size_t, size + 1> first_layer = [] {
    std::array<std::size_t, size + 1> result{};
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      ((result[Index + 1] = result[Index] + detail::layers_in<Operation<Index>>), ...);
    }(std::make_index_sequence<size>{});
    return result;
  }();

  /// widths[i] is the width that enters operation i; widths[size] leaves the model.
  static constexpr std::array<std::size_t, size + 1> widths = [] {
    std::array<std::size_t, size + 1> result{};
    for (std::size_t i = 0; i <= size; ++i) {
      result[i] = M::widths[first_layer[i]];
    }
    return result;
  }();

  static constexpr std::size_t widest = [] {
    std::size_t result = 0;
    for (const std::size_t width : widths) {
      result = result > width ? result : width;
    }
    return result;
  }();

  /// The first operation that learns: its input needs no gradient. `size` where there is none.
  static constexpr std::size_t first_trained = static_cast<std::size_t>(
      std::lower_bound(first_layer.begin(), first_layer.begin() + size, M::first_trained_layer) - first_layer.begin());

  /// The input's width, as an argument of a call.
  template <std::size_t Index>
  using InputWidth = Width<widths[Index]>;
};

namespace detail {

template <typename Plan, std::size_t Index>
struct ChainAt {
  using type = Chain<>;
};
template <typename Plan, std::size_t Index>
  requires(Index < Plan::size)
struct ChainAt<Plan, Index> {
  using Operation = typename Plan::template Operation<Index>;
  using type = std::conditional_t<is_chain<Operation>, Operation, Chain<>>;
};

template <typename Operations>
inline constexpr bool are_linear_or_chains = false;
template <typename... Operations>
inline constexpr bool are_linear_or_chains<std::tuple<Operations...>> =
    ((is_linear<Operations> || is_chain<Operations>) && ...);

}  // namespace detail

/// Operation Index of a plan if it is a Chain; a Chain without layers if it is not, or if the plan ends before it.
template <typename Plan, std::size_t Index>
using ChainAt = typename detail::ChainAt<Plan, Index>::type;

/// A model of Linear and pointwise layers, in any order.
template <typename M>
concept FullyConnectedModel = Model<M> && detail::are_linear_or_chains<typename Plan<M>::Operations>;

/// Stage Index of a model: a Linear, and the Chain after it. As constants, for device code, which may not call a host's
/// constexpr functions.
template <Model M, std::size_t Index>
struct Stage {
  static constexpr std::size_t operation = Plan<M>::linear_operation[Index];
  using Linear = typename Plan<M>::template Operation<operation>;
  using Chain = ChainAt<Plan<M>, operation + 1>;

  static constexpr bool is_last = Index + 1 == Plan<M>::linear_count;
  static constexpr bool has_chain = !std::is_same_v<Chain, backend::Chain<>>;
  static constexpr bool has_bias = Linear::has_bias;
  static constexpr std::size_t in = Linear::input_size;
  static constexpr std::size_t out = Linear::output_size;
  /// Places in an arena of parameters: (out, in), and (out) where there is a bias.
  static constexpr std::size_t weight = M::parameter_offset(Plan<M>::first_layer[operation]);
  static constexpr std::size_t bias = has_bias ? weight + tensor_offset(Linear::parameters, 1) : 0;
  /// The Chain's first layer, for its random numbers.
  static constexpr auto chain_layer = static_cast<std::uint32_t>(Plan<M>::first_layer[operation + 1]);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Calls `function.template operator()<Index>()` for Index = 0 ... Count - 1.
template <std::size_t Count, typename Function>
constexpr void for_each_index(Function&& function) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (function.template operator()<Index>(), ...);
  }(std::make_index_sequence<Count>{});
}

/// The same, from Count - 1 to 0.
template <std::size_t Count, typename Function>
constexpr void for_each_index_reversed(Function&& function) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (function.template operator()<Count - 1 - Index>(), ...);
  }(std::make_index_sequence<Count>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
