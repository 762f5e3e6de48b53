// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The stages of a model that a block trains, and their sizes.

#include <array>
#include <cstddef>
#include <utility>

#include "retort/backend/cuda/vector_access.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// A FullyConnectedModel with nothing before its first Linear: each stage is a Linear and the pointwise layers after
/// it.
template <typename M>
concept StagedModel = FullyConnectedModel<M> && !Plan<M>::template is_chain<0>;

/// A tile's width, where `count` neighbours are cut into the fewest tiles of at most `most`, nearly equal ones.
constexpr std::size_t tile_width(std::size_t count, std::size_t most = 10) {
  const std::size_t tiles = (count + most - 1) / most;
  return (count + tiles - 1) / tiles;
}

/// A backend::Stage with its work cut into tiles.
template <StagedModel M, std::size_t Index>
struct TiledStage : backend::Stage<M, Index> {
  using Facts = backend::Stage<M, Index>;
  using Facts::in, Facts::out;

  /// Whether outputs are kept besides the sums: the derivative is taken at them, and the next stage reads them when
  /// gradients have taken the place of the sums.
  static constexpr bool keeps_outputs = Facts::has_chain || !Facts::is_last;
  static constexpr std::size_t quads = (in + quad - 1) / quad;  // of inputs; the last may be partly filled
  static constexpr std::size_t out_tile = tile_width(out);
  static constexpr std::size_t out_tiles = (out + out_tile - 1) / out_tile;
  static constexpr std::size_t in_tile = tile_width(in);
  static constexpr std::size_t in_tiles = (in + in_tile - 1) / in_tile;
  /// The weights as tiles of `out_tile` outputs by a quad of inputs, each of which belongs to one thread.
  static constexpr std::size_t weight_tiles = out_tiles * quads;
};

template <StagedModel M>
inline constexpr std::size_t stage_count = Plan<M>::linear_count;

/// A stage's sizes as plain numbers.
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

template <StagedModel M>
inline constexpr std::array<StageSizes, stage_count<M>> stage_sizes =
    []<std::size_t... Index>(std::index_sequence<Index...>) {
      return std::array{StageSizes{TiledStage<M, Index>::in, TiledStage<M, Index>::out, TiledStage<M, Index>::in_tiles,
                                   TiledStage<M, Index>::out_tiles, TiledStage<M, Index>::out_tile,
                                   TiledStage<M, Index>::quads, TiledStage<M, Index>::weight_tiles,
                                   TiledStage<M, Index>::has_bias ? TiledStage<M, Index>::out : 0,
                                   TiledStage<M, Index>::keeps_outputs}...};
    }(std::make_index_sequence<stage_count<M>>{});

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
