// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Which weights a thread has: tiles of a few outputs by a quad of inputs. On tensor cores the weights of the first
/// stage are shared otherwise (tensor_stage.hpp).

#include <cstddef>

#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/ownership.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// Weights of one stage, some outputs by a quad of inputs, that belong to one thread. `index`: the first one's number
/// among the thread's weights; `first`: its output; `q`: its quad.
struct WeightTile {
  std::size_t index;
  std::size_t first;
  std::size_t q;
};

/// Tile `own` of a stage's Layout::weight_tiles; `first` may be beyond the last output.
template <typename Layout, std::size_t Index>
RETORT_HOST_DEVICE WeightTile weight_tile(std::size_t own, std::size_t slot) {
  using S = TiledStage<typename Layout::Model, Index>;
  const std::size_t index = slot * Layout::tile_size;
  if constexpr (Layout::on_tensor_cores) {
    const std::size_t group = own / tile_lanes;
    return {index, group / S::quads * tile_lanes + own % tile_lanes, group % S::quads};
  } else {
    return {index, own / S::quads * Layout::template out_tile<Index>, own % S::quads};
  }
}

/// Calls function.template operator()<Index>(tile) for each WeightTile of a thread.
template <typename Layout, typename Function>
RETORT_HOST_DEVICE void for_each_tile(std::size_t thread, const Function& function) {
  RETORT_UNROLL for (std::size_t slot = 0; slot < Layout::slots; ++slot) {
    const std::size_t number = thread + slot * Layout::threads;
    for_each_stage<typename Layout::Model>([&]<std::size_t Index>() {
      if constexpr ((Layout::template weight_tiles<Index>) > 0) {
        const std::size_t own = number - Layout::template first_tile<Index>;  // huge for a tile of an earlier stage
        if (own < Layout::template weight_tiles<Index>) {
          const WeightTile tile = weight_tile<Layout, Index>(own, slot);
          if (!Layout::on_tensor_cores || tile.first < TiledStage<typename Layout::Model, Index>::out) {
            function.template operator()<Index>(tile);
          }
        }
      }
    });
  }
}

/// Calls function(o, place of the row's first element, count) for each row of a tile that is inside the weight: a quad,
/// or fewer elements at the end of the weight's row.
template <typename Layout, std::size_t Index, typename Function>
RETORT_HOST_DEVICE void for_each_row(const WeightTile& tile, const Function& function) {
  using S = TiledStage<typename Layout::Model, Index>;
  constexpr std::size_t out_tile = Layout::template out_tile<Index>;
  const std::size_t count = S::in % quad == 0 || quad * tile.q + quad <= S::in ? quad : S::in - quad * tile.q;
  RETORT_UNROLL for (std::size_t o = 0; o < out_tile; ++o) {
    if (S::out % out_tile == 0 || tile.first + o < S::out) {
      function(o, S::weight + (tile.first + o) * S::in + quad * tile.q, count);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
