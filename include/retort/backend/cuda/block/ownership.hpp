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

/// What computes the first stage's products, which are nearly all of a model's work where its inputs are many.
enum class ProductUnits {
  scalar,  ///< multiply-add instructions
  tensor,  ///< tensor cores, on which floats are sums of three bfloat16 numbers; for inputs of bytes
};

namespace detail {

/// Registers that hold a thread's moments at most. A warp that uses tensor cores has more registers, and fewer others
/// beside it.
constexpr std::size_t moment_registers(ProductUnits units) { return units == ProductUnits::tensor ? 144 : 80; }

/// Warps of a block that uses tensor cores: so few that a thread can have all the registers that can be addressed.
inline constexpr std::size_t tensor_warps = 8;

/// The weights of a stage as tiles of `width` outputs by a quad of inputs, each of which belongs to one thread. None
/// where warps share the weights in the layout of fragments.
struct OwnedTiles {
  std::size_t width;
  std::size_t count;
};

constexpr OwnedTiles owned_tiles(const StageSizes& stage, std::size_t index, ProductUnits units) {
  if (units == ProductUnits::scalar) {
    return {stage.out_tile, stage.weight_tiles};
  }
  // Narrow ones: few threads are left for these tiles.
  const std::size_t width = tile_width(stage.out, 5);
  return {width, index == 0 ? 0 : (stage.out + width - 1) / width * stage.quads};
}

/// The sum of of_stage(sizes, index) over the stages before one; for as many as there are, over all.
template <StagedModel M, typename OfStage>
constexpr std::size_t sum_before(std::size_t index, const OfStage& of_stage) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < index; ++i) {
    sum += of_stage(stage_sizes<M>[i], i);
  }
  return sum;
}

template <StagedModel M>
constexpr std::size_t tiles_before(std::size_t index, ProductUnits units) {
  return sum_before<M>(index,
                       [&](const StageSizes& stage, std::size_t i) { return owned_tiles(stage, i, units).count; });
}

template <StagedModel M>
constexpr std::size_t widest_tile(ProductUnits units) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < stage_count<M>; ++i) {
    const OwnedTiles tiles = owned_tiles(stage_sizes<M>[i], i, units);
    width = std::max(width, tiles.count > 0 ? tiles.width : 0);
  }
  return width;
}

constexpr std::size_t divided_up(std::size_t count, std::size_t divisor) { return (count + divisor - 1) / divisor; }

/// Threads of a block: one for each tile of weights where that is possible.
template <StagedModel M>
constexpr std::size_t thread_count(ProductUnits units) {
  if (units == ProductUnits::tensor) {
    return tensor_warps * team_lanes;
  }
  return std::clamp<std::size_t>(divided_up(tiles_before<M>(stage_count<M>, units), team_lanes), 4, 16) * team_lanes;
}

/// Which threads have the weights. Of warps that use tensor cores, the first have those of the first stage, and the
/// others the tiles of the stages behind it; else all have tiles.
struct Ownership {
  std::size_t fragment_warps;
  std::size_t fragment_slots;  // tiles of 16 input features that such a warp has at most
  std::size_t tile_slots;      // tiles that another thread has at most
  std::size_t weights;         // that a thread has at most
};

template <StagedModel M>
constexpr Ownership ownership(ProductUnits units, std::size_t fragment_warps) {
  const std::size_t warps = thread_count<M>(units) / team_lanes;
  const std::size_t tiles = tiles_before<M>(stage_count<M>, units);
  const std::size_t tile_warps = warps - fragment_warps;
  Ownership result{fragment_warps, 0, tiles == 0 ? 0 : divided_up(tiles, tile_warps * team_lanes), 0};
  if (fragment_warps > 0) {
    const StageSizes& stage = stage_sizes<M>[0];
    result.fragment_slots = divided_up(divided_up(stage.in, fragment_depth), fragment_warps);
    result.weights = result.fragment_slots * 2 * divided_up(stage.out, fragment_members);
  }
  result.weights = std::max(result.weights, result.tile_slots * widest_tile<M>(units) * quad);
  return result;
}

/// That by which a thread has the fewest weights.
template <StagedModel M>
constexpr Ownership choose_ownership(ProductUnits units) {
  if (units == ProductUnits::scalar) {
    return ownership<M>(units, 0);
  }
  if (stage_count<M> == 1) {
    return ownership<M>(units, tensor_warps);
  }
  Ownership best = ownership<M>(units, tensor_warps - 1);
  for (std::size_t warps = tensor_warps - 2; warps > 0; --warps) {
    const Ownership other = ownership<M>(units, warps);
    best = other.weights < best.weights ? other : best;
  }
  return best;
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
