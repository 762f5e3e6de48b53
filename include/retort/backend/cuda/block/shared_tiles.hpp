// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The gradients of the weights after the first stage, in a block that uses tensor cores. Those weights are few and
/// threads are many: four lanes compute four outputs' tiles together, each from a quarter of the samples.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/ownership.hpp"
#include "retort/backend/cuda/block/products.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/tiles.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// Rows of sums, each of a quad of inputs.
template <std::size_t Rows>
struct TileRows {
  float values[Rows][quad]{};
};

/// Adds a lane's share of the samples to the sums of its group's tiles, whose first output is `first`.
template <typename Layout, std::size_t Index>
RETORT_HOST_DEVICE void add_share(const float* memory, std::size_t share, std::size_t first, std::size_t q,
                                  TileRows<tile_lanes>& sums) {
  using S = TiledStage<typename Layout::Model, Index>;
  const auto input = stage_input<Layout, Index>(memory, static_cast<const float*>(nullptr));
  const float* gradients = memory + Layout::template sums<Index>;
  RETORT_UNROLL for (std::size_t i = 0; i < Layout::samples / (tile_lanes * quad); ++i) {
    const std::size_t sample = (i * tile_lanes + share) * quad;  // neighbouring lanes read different banks
    float values[quad][quad];
    input.square(q, sample, values);
    RETORT_UNROLL for (std::size_t o = 0; o < tile_lanes; ++o) {
      const std::size_t row = S::out % tile_lanes == 0 || first + o < S::out ? first + o : S::out - 1;
      const Quad<float> factors = load_quad(gradients + row * Layout::stride + sample);
      RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) {
        RETORT_UNROLL for (std::size_t j = 0; j < quad; ++j) { sums.values[o][f] += factors.values[j] * values[f][j]; }
      }
    }
  }
}

/// Two lanes, `distance` apart, share out their rows: one keeps the first half, the other the second. Each gives away
/// the half that it does not keep, and adds the half that it gets.
template <std::size_t Rows, typename Warp, typename LanesOfAll, typename LanesOfHalf>
RETORT_HOST_DEVICE void add_halves(const Warp& warp, std::uint32_t distance, const LanesOfAll& all, LanesOfHalf& half) {
  constexpr std::size_t kept = Rows / 2;
  typename Warp::template PerLane<TileRows<kept>> given;
  const auto row_of = [&](const TileRows<Rows>& rows, bool second, std::size_t row, std::size_t f) {
    return second ? rows.values[kept + row][f] : rows.values[row][f];
  };
  warp.for_each_lane([&](std::uint32_t lane) {
    const bool keeps_second = (lane & distance) != 0;
    RETORT_UNROLL for (std::size_t row = 0; row < kept; ++row) {
      RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) {
        given[lane].values[row][f] = row_of(all[lane], !keeps_second, row, f);
        half[lane].values[row][f] = row_of(all[lane], keeps_second, row, f);
      }
    }
  });
  warp.for_each_lane([&](std::uint32_t lane) {
    RETORT_UNROLL for (std::size_t row = 0; row < kept; ++row) {
      RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) {
        half[lane].values[row][f] +=
            warp.from_other(given, lane, distance, [&](const TileRows<kept>& rows) { return rows.values[row][f]; });
      }
    }
  });
}

/// A warp's part of a phase: on_tile.template operator()<Index>(thread, tile, sums) for each WeightTile of its threads.
template <typename Layout, typename Warp, typename OnTile>
RETORT_HOST_DEVICE void shared_tile_gradients(const Warp& warp, const float* memory, const OnTile& on_tile) {
  RETORT_UNROLL for (std::size_t slot = 0; slot < Layout::slots; ++slot) {
    const std::size_t first_thread = warp.index() * team_lanes;
    for_each_stage<typename Layout::Model>([&]<std::size_t Index>() {
      using S = TiledStage<typename Layout::Model, Index>;
      if constexpr ((Layout::template weight_tiles<Index>) > 0) {
        // A warp's tiles all belong to one stage.
        const std::size_t own = first_thread + slot * Layout::threads - Layout::template first_tile<Index>;
        if (own < Layout::template weight_tiles<Index>) {
          typename Warp::template PerLane<TileRows<4>> quarters;
          typename Warp::template PerLane<TileRows<2>> halves;
          typename Warp::template PerLane<TileRows<1>> sums;
          static_assert(tile_lanes == 4);
          warp.for_each_lane([&](std::uint32_t lane) {
            const WeightTile tile = weight_tile<Layout, Index>(own + lane, slot);
            const std::size_t share = lane % tile_lanes;
            quarters[lane] = {};
            if (tile.first - share < S::out) {
              add_share<Layout, Index>(memory, share, tile.first - share, tile.q, quarters[lane]);
            }
          });
          add_halves<4>(warp, 2, quarters, halves);
          add_halves<2>(warp, 1, halves, sums);
          warp.for_each_lane([&](std::uint32_t lane) {
            const WeightTile tile = weight_tile<Layout, Index>(own + lane, slot);
            if (tile.first < S::out) {
              on_tile.template operator()<Index>(first_thread + lane, tile, sums[lane].values);
            }
          });
        }
      }
    });
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
