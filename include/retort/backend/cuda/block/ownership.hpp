// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Which threads of a block have which weights of a model.

#include <algorithm>
#include <cstddef>

#include "retort/backend/cuda/block/fragments.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// What computes the products of the first stage, which is nearly all of a model's work where it has many inputs.
enum class ProductUnits {
  scalar,  ///< multiply-add instructions
  tensor,  ///< tensor cores, on which a float is the sum of three bfloat16 numbers; for inputs of bytes
};

namespace detail {

/// The most registers that hold a thread's moments. A block that uses tensor cores has fewer warps, and so more
/// registers for each.
constexpr std::size_t moment_registers(ProductUnits units) { return units == ProductUnits::tensor ? 144 : 80; }

/// Warps of a block that uses tensor cores: so few that a thread can have as many registers as can be addressed.
inline constexpr std::size_t tensor_warps = 8;

/// The weights of a stage as tiles of `width` outputs by a quad of inputs, each of which belongs to one thread; none
/// where warps share the weights in the layout of fragments. `room`: how many tiles there are, on tensor cores rounded
/// up to whole warps, so that a warp's tiles are of one stage.
struct OwnedTiles {
  std::size_t width;
  std::size_t room;
};

constexpr std::size_t divided_up(std::size_t count, std::size_t divisor) { return (count + divisor - 1) / divisor; }

/// Lanes that together compute the gradients of as many neighbouring outputs' tiles, each from its share of the
/// samples: after the first stage, in a block that uses tensor cores (shared_tiles.hpp).
inline constexpr std::size_t tile_lanes = 4;

/// The sum of of_stage(sizes, index) over the stages before `index`, or over all if that is their count.
template <StagedModel M, typename OfStage>
constexpr std::size_t sum_before(std::size_t index, const OfStage& of_stage) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < index; ++i) {
    sum += of_stage(stage_sizes<M>[i], i);
  }
  return sum;
}

constexpr OwnedTiles owned_tiles(const StageSizes& stage, std::size_t index, ProductUnits units) {
  if (units == ProductUnits::scalar) {
    return {stage.out_tile, stage.weight_tiles};
  }
  const std::size_t tiles = divided_up(stage.out, tile_lanes) * tile_lanes * stage.quads;
  return {1, index == 0 ? 0 : divided_up(tiles, team_lanes) * team_lanes};
}

template <StagedModel M>
constexpr std::size_t tiles_before(std::size_t index, ProductUnits units) {
  return sum_before<M>(index,
                       [&](const StageSizes& stage, std::size_t i) { return owned_tiles(stage, i, units).room; });
}

template <StagedModel M>
constexpr std::size_t widest_tile(ProductUnits units) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < stage_count<M>; ++i) {
    width = std::max(width, owned_tiles(stage_sizes<M>[i], i, units).width);
  }
  return width;
}

/// Threads of a block: one for each tile of weights, where possible.
template <StagedModel M>
constexpr std::size_t thread_count(ProductUnits units) {
  if (units == ProductUnits::tensor) {
    return tensor_warps * team_lanes;
  }
  return std::clamp<std::size_t>(divided_up(tiles_before<M>(stage_count<M>, units), team_lanes), 4, 16) * team_lanes;
}

/// Which threads have the weights. In a block that uses tensor cores the first warps have those of the first stage, and
/// all threads have tiles of the stages after it; else all have tiles of all stages.
struct Ownership {
  std::size_t fragment_warps;
  std::size_t fragment_slots;  // the most tiles of 16 input features that such a warp has
  std::size_t tile_slots;      // the most tiles that a thread has
};

/// Of `tiles` of the first stage each warp has at most so many, and so few warps can share them without any of them
/// getting more.
constexpr std::size_t tiles_of_warp(std::size_t tiles) { return divided_up(tiles, tensor_warps); }
constexpr std::size_t warps_for_tiles(std::size_t tiles) { return divided_up(tiles, tiles_of_warp(tiles)); }

template <StagedModel M>
constexpr Ownership choose_ownership(ProductUnits units) {
  Ownership result{0, 0, divided_up(tiles_before<M>(stage_count<M>, units), thread_count<M>(units))};
  if (units == ProductUnits::tensor) {
    const std::size_t tiles = divided_up(stage_sizes<M>[0].in, fragment_depth);
    result.fragment_slots = tiles_of_warp(tiles);
    result.fragment_warps = warps_for_tiles(tiles);
  }
  return result;
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
