// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The gradient of the first stage's weights on tensor cores: input (in, samples) output_gradient^T (samples, out).

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/bf16_pieces.hpp"
#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/fragments.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/tensor_stage.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

namespace detail {

/// Where a lane's FragmentB of the gradients stands: [tile of outputs][tile of samples][piece][lane], two words each.
template <typename Layout>
RETORT_HOST_DEVICE std::uint32_t gradient_place(std::uint32_t output_tile, std::uint32_t sample_tile,
                                                std::uint32_t piece, std::uint32_t lane) {
  constexpr auto pieces = static_cast<std::uint32_t>(bf16_pieces);
  return 2 * (((output_tile * TensorStage<Layout>::sample_tiles + sample_tile) * pieces + piece) * lane_count + lane);
}

/// Rows of A: two neighbouring features of the lane's four samples.
template <typename Layout>
RETORT_HOST_DEVICE FragmentA load_features(const std::uint32_t* words, std::uint32_t center, std::uint32_t lane,
                                           std::uint32_t feature_tile, std::uint32_t sample_tile) {
  using T = TensorStage<Layout>;
  const std::uint32_t group = lane_group(lane);
  const std::uint32_t* column = words + (fragment_depth * sample_tile + 2 * lane_member(lane)) * T::pitch +
                                fragment_members * feature_tile + group / 2;
  FragmentA result;
  RETORT_UNROLL for (std::uint32_t half = 0; half < 2; ++half) {
    // The two bytes of the lane's features from each of two samples: first, first, second, second.
    const std::uint32_t bytes = select_bytes(column[8 * half * T::pitch], column[(8 * half + 1) * T::pitch],
                                             group % 2 == 0 ? 0x5140u : 0x7362u);
    result.pairs[2 * half] = bf16_bytes(select_bytes(bytes, 0, 0x4140u), center);
    result.pairs[2 * half + 1] = bf16_bytes(select_bytes(bytes, 0, 0x4342u), center);
  }
  return result;
}

}  // namespace detail

/// One thread's part of the phase before tensor_gradient(): the gradients of the first stage's sums as operands, which
/// take the place of the slices; and what an offset of the inputs adds to the gradients of each output's weights.
template <typename Layout>
RETORT_HOST_DEVICE void split_gradients(std::size_t thread, const InputConstants<float>& constants, float* memory) {
  using T = detail::TensorStage<Layout>;
  const float* gradients = memory + Layout::template sums<0>;
  auto* words = reinterpret_cast<std::uint32_t*>(memory + Layout::partial_sums);
  for (auto item = static_cast<std::uint32_t>(thread); item < T::output_tiles * T::sample_tiles * lane_count;
       item += static_cast<std::uint32_t>(Layout::threads)) {
    const std::uint32_t lane = item % lane_count;
    const std::uint32_t sample_tile = item / lane_count % T::sample_tiles;
    const std::uint32_t output_tile = item / lane_count / T::sample_tiles;
    const std::uint32_t output = fragment_columns * output_tile + detail::column_output(lane_group(lane));
    std::uint32_t pieces[2][bf16_pieces];
    RETORT_UNROLL for (std::uint32_t half = 0; half < 2; ++half) {
      const std::uint32_t sample = fragment_depth * sample_tile + 2 * lane_member(lane) + 8 * half;
      Pair<float> pair{};
      if (output < T::out) {
        pair = load_pair(gradients + output * T::stride + sample);
      }
      split_into_bf16(pair.values[0], pair.values[1], pieces[half]);
    }
    RETORT_UNROLL for (std::uint32_t piece = 0; piece < bf16_pieces; ++piece) {
      store_pair(Pair<std::uint32_t>{{pieces[0][piece], pieces[1][piece]}},
                 words + detail::gradient_place<Layout>(output_tile, sample_tile, piece, lane));
    }
  }
  if (constants.adds_offset()) {
    // By the last threads, which have least to do besides.
    for (std::size_t output = Layout::threads - 1 - thread; output < T::out; output += Layout::threads) {
      memory[Layout::row_sums + output] =
          constants.offset * sum_samples(gradients + output * T::stride, Layout::samples);
    }
  }
}

/// A warp's part of the gradients over a chunk: on_pairs(thread, pairs, gradients) for its lanes' weights, where pairs
/// are several detail::WeightPair, some perhaps without weights, with gradients[pair][2]. The sums go through the tiles
/// of samples in order, in each from the smallest pieces to the largest.
template <typename Layout, typename Warp, typename OnPairs>
RETORT_HOST_DEVICE void tensor_gradient(const Warp& warp, const InputConstants<float>& constants, const float* memory,
                                        const float* inputs, const OnPairs& on_pairs) {
  using T = detail::TensorStage<Layout>;
  constexpr auto warps = static_cast<std::uint32_t>(Layout::fragment_warps);
  constexpr auto slots = static_cast<std::uint32_t>(Layout::fragment_slots);
  constexpr std::uint32_t slots_at_once = slots < 4 ? slots : 4;  // slots that share operands
  if (warp.index() >= warps) {
    return;
  }
  const auto* words = reinterpret_cast<const std::uint32_t*>(inputs);
  const auto* operands = reinterpret_cast<const std::uint32_t*>(memory + Layout::partial_sums);
  const bool offset = constants.adds_offset();
  const std::uint32_t center = bf16_center(offset ? 0.0f : constants.center);
  const float scale = constants.scale * bf16_byte_unit;
  const auto tile_of = [&](std::uint32_t slot) { return slot * warps + warp.index(); };
  const auto inside = [&](std::uint32_t slot) {
    return T::feature_tiles % warps == 0 || tile_of(slot) < T::feature_tiles;
  };
  RETORT_UNROLL for (std::uint32_t slot = 0; slot < slots; slot += slots_at_once) {
    RETORT_UNROLL for (std::uint32_t first = 0; first < T::output_tiles; first += T::tiles_at_once) {
      typename Warp::template PerLane<FragmentC> sums[slots_at_once][T::tiles_at_once];
      RETORT_UNROLL for (std::uint32_t k = 0; k < T::sample_tiles; ++k) {
        typename Warp::template PerLane<FragmentA> features[slots_at_once];
        warp.for_each_lane([&](std::uint32_t lane) {
          RETORT_UNROLL for (std::uint32_t i = 0; i < slots_at_once; ++i) {
            const std::uint32_t tile = inside(slot + i) ? tile_of(slot + i) : T::feature_tiles - 1;
            if (slot + i < slots) {
              features[i][lane] = detail::load_features<Layout>(words, center, lane, tile, k);
            }
          }
        });
        RETORT_UNROLL for (std::uint32_t piece = bf16_pieces; piece-- > 0;) {
          RETORT_UNROLL for (std::uint32_t n = 0; n < T::tiles_at_once; ++n) {
            if (first + n < T::output_tiles) {
              typename Warp::template PerLane<FragmentB> gradients;
              warp.for_each_lane([&](std::uint32_t lane) {
                const Pair<std::uint32_t> pair =
                    load_pair(operands + detail::gradient_place<Layout>(first + n, k, piece, lane));
                gradients[lane].pairs[0] = pair.values[0];
                gradients[lane].pairs[1] = pair.values[1];
              });
              RETORT_UNROLL for (std::uint32_t i = 0; i < slots_at_once; ++i) {
                if (slot + i < slots) {
                  warp.multiply_add(sums[i][n], features[i], gradients);
                }
              }
            }
          }
        }
      }
      warp.for_each_lane([&](std::uint32_t lane) {
        constexpr std::uint32_t quads = 2 * T::tiles_at_once;
        float added[quads] = {};
        if (offset) {
          RETORT_UNROLL for (std::uint32_t half = 0; half < quads; ++half) {
            const std::uint32_t output =
                fragment_columns * (first + half / 2) + detail::tile_output(lane_member(lane), half % 2);
            added[half] = output < T::out ? memory[Layout::row_sums + output] : 0.0f;
          }
        }
        RETORT_UNROLL for (std::uint32_t i = 0; i < slots_at_once; ++i) {
          if (slot + i < slots) {
            detail::WeightPair pairs[quads];
            float gradients[quads][2];
            RETORT_UNROLL for (std::uint32_t half = 0; half < quads; ++half) {
              const FragmentC& own = sums[i][half / 2][lane];
              pairs[half] = detail::weight_pair<Layout>(lane, slot + i, tile_of(slot + i), 2 * first + half);
              gradients[half][0] = own.values[half % 2] * scale + added[half];
              gradients[half][1] = own.values[half % 2 + 2] * scale + added[half];
            }
            on_pairs(warp.index() * team_lanes + lane, pairs, gradients);
          }
        }
      });
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
