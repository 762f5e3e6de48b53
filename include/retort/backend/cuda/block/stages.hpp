// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model as stages: each Linear layer with the pointwise layers behind it. What device code asks of a model is here
/// as constants, for it may call no constexpr function of the host.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "retort/backend/chain.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Features that are taken together: the bytes of a word.
inline constexpr std::size_t quad = 4;

/// A model of Linear layers, each with any pointwise layers behind it.
template <typename M>
concept StagedModel = FullyConnectedModel<M> && !Plan<M>::template is_chain<0>;

/// How many neighbours a thread takes of `count`: as many of at most `most` as leave the least over.
constexpr std::size_t tile_width(std::size_t count, std::size_t most = 10) {
  const std::size_t tiles = (count + most - 1) / most;
  return (count + tiles - 1) / tiles;
}

template <StagedModel M, std::size_t Index>
struct Stage {
  static constexpr std::size_t operation = Plan<M>::linear_operation[Index];
  using Layer = typename Plan<M>::template Operation<operation>;
  using Chain = ChainAt<Plan<M>, operation + 1>;

  static constexpr bool is_last = Index + 1 == Plan<M>::linear_count;
  static constexpr bool has_chain = !std::is_same_v<Chain, NoChain>;
  /// Whether the outputs are needed beside the sums: as values of which the derivative is taken, and by the next stage
  /// when gradients have taken the place of the sums.
  static constexpr bool keeps_outputs = has_chain || !is_last;
  static constexpr bool has_bias = Layer::has_bias;
  static constexpr std::size_t in = Layer::input_size;
  static constexpr std::size_t out = Layer::output_size;
  static constexpr std::size_t weight =
      M::parameter_offset(Plan<M>::first_layer[operation]);  // in the arena, (out, in)
  static constexpr std::size_t bias = has_bias ? weight + tensor_offset(Layer::parameters, 1) : 0;  // (out)
  static constexpr std::uint32_t chain_layer = static_cast<std::uint32_t>(Plan<M>::first_layer[operation + 1]);

  static constexpr std::size_t quads = (in + quad - 1) / quad;  // of inputs; the last may be filled in part
  static constexpr std::size_t out_tile = tile_width(out);
  static constexpr std::size_t out_tiles = (out + out_tile - 1) / out_tile;
  static constexpr std::size_t in_tile = tile_width(in);
  static constexpr std::size_t in_tiles = (in + in_tile - 1) / in_tile;
  /// The weights as tiles of `out_tile` outputs by a quad of inputs, each of which belongs to one thread.
  static constexpr std::size_t weight_tiles = out_tiles * quads;
};

template <StagedModel M>
inline constexpr std::size_t stage_count = Plan<M>::linear_count;

/// A stage's sizes as numbers, to compute with.
struct StageSizes {
  std::size_t in;
  std::size_t out;
  std::size_t in_tiles;
  std::size_t out_tiles;
  std::size_t out_tile;
  std::size_t quads;
  std::size_t weight_tiles;
  std::size_t biases;
  bool keeps_outputs;
};

namespace detail {

template <StagedModel M, std::size_t... Index>
constexpr std::array<StageSizes, sizeof...(Index)> sizes_of_stages(std::index_sequence<Index...>) {
  return {StageSizes{Stage<M, Index>::in, Stage<M, Index>::out, Stage<M, Index>::in_tiles, Stage<M, Index>::out_tiles,
                     Stage<M, Index>::out_tile, Stage<M, Index>::quads, Stage<M, Index>::weight_tiles,
                     Stage<M, Index>::has_bias ? Stage<M, Index>::out : 0, Stage<M, Index>::keeps_outputs}...};
}

}  // namespace detail

template <StagedModel M>
inline constexpr std::array<StageSizes, stage_count<M>> stage_sizes =
    detail::sizes_of_stages<M>(std::make_index_sequence<stage_count<M>>{});

/// Calls `function.template operator()<Index>()` for each stage, from the first to the last.
template <StagedModel M, typename Function>
RETORT_HOST_DEVICE void for_each_stage(const Function& function) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (function.template operator()<Index>(), ...);
  }(std::make_index_sequence<stage_count<M>>{});
}

/// The same, from the last to the first.
template <StagedModel M, typename Function>
RETORT_HOST_DEVICE void for_each_stage_reversed(const Function& function) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (function.template operator()<stage_count<M> - 1 - Index>(), ...);
  }(std::make_index_sequence<stage_count<M>>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
