// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The first stage's forward product on tensor cores, for inputs of bytes.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/bf16_pieces.hpp"
#include "retort/backend/cuda/block/fragments.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/tensor_stage.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// A lane's sums for `tiles_at_once` tiles of outputs: [tile of samples][half of a tile of outputs][half of its rows].
/// `weights`: sums of the lane's own weights, which are those of one output in each tile.
template <typename Layout>
struct ForwardSums {
  float values[TensorStage<Layout>::sample_tiles][2 * TensorStage<Layout>::tiles_at_once][2]{};
  float weights[TensorStage<Layout>::tiles_at_once]{};
};

/// Column `group` of B: the lane's four features of tile `feature_tile`, for an output. Zeros beyond the weight's
/// edges.
template <typename Layout>
RETORT_HOST_DEVICE Quad<float> load_weights(const float* weight, std::uint32_t lane, std::uint32_t output_tile,
                                            std::uint32_t feature_tile) {
  using T = TensorStage<Layout>;
  const std::uint32_t output = fragment_columns * output_tile + column_output(lane_group(lane));
  const std::uint32_t q = fragment_members * feature_tile + lane_member(lane);
  Quad<float> values{};
  // A condition that holds for all tiles is not tested.
  constexpr bool whole = T::out % fragment_columns == 0 && T::output_tiles % T::tiles_at_once == 0;
  if ((whole || output < T::out) && (T::S::quads % fragment_members == 0 || q < T::S::quads)) {
    values = weight_quad<T::S::in, Layout::weight_stride>(weight, output, q);
  }
  return values;
}

/// Rows of A: the lane's four features of two samples. `center`: see bf16_center().
template <typename Layout>
RETORT_HOST_DEVICE FragmentA load_samples(const std::uint32_t* words, std::uint32_t center, std::uint32_t lane,
                                          std::uint32_t sample_tile, std::uint32_t feature_tile) {
  using T = TensorStage<Layout>;
  FragmentA result;
  RETORT_UNROLL for (std::uint32_t half = 0; half < 2; ++half) {
    const std::uint32_t sample = fragment_rows * sample_tile + lane_group(lane) + 8 * half;
    const std::uint32_t word = words[sample * T::pitch + fragment_members * feature_tile + lane_member(lane)];
    result.pairs[half] = bf16_bytes(select_bytes(word, 0, 0x4140u), center);
    result.pairs[2 + half] = bf16_bytes(select_bytes(word, 0, 0x4342u), center);
  }
  return result;
}

/// A warp's slice of the depth, for output tiles from `first` on. A tensor core rounds towards zero: so it adds up one
/// tile of the depth, from the smallest pieces to the largest, and an instruction that rounds to nearest adds its
/// result (Ootomo and Yokota, "Recovering single precision accuracy from Tensor Cores while surpassing the FP32
/// theoretical peak performance", arXiv:2203.03341). `center`: see bf16_center(). With `sums_weights` each lane also
/// adds up its weights.
template <typename Layout, bool sums_weights, typename Warp, typename Sums>
RETORT_HOST_DEVICE void multiply_slice(const Warp& warp, std::uint32_t first, std::uint32_t center, const float* memory,
                                       const std::uint32_t* words, Sums& sums) {
  using T = TensorStage<Layout>;
  constexpr auto warps = static_cast<std::uint32_t>(Layout::fragment_warps);
  constexpr bool one_tile = T::feature_tiles == warps;  // whose products are the sums
  const std::uint32_t begin = one_tile ? warp.index() : warp.index() * T::feature_tiles / warps;
  const std::uint32_t end = one_tile ? begin + 1 : (warp.index() + 1) * T::feature_tiles / warps;
  for (std::uint32_t tile = begin; tile < end; ++tile) {
    typename Warp::template PerLane<FragmentA> samples[T::sample_tiles];
    warp.for_each_lane([&](std::uint32_t lane) {
      RETORT_UNROLL for (std::uint32_t m = 0; m < T::sample_tiles; ++m) {
        samples[m][lane] = load_samples<Layout>(words, center, lane, m, tile);
      }
    });
    // One tile of outputs after the other: the products of all would not fit the registers beside the moments.
    RETORT_UNROLL for (std::uint32_t n = 0; n < T::tiles_at_once; ++n) {
      typename Warp::template PerLane<FragmentB> weights[bf16_pieces];
      warp.for_each_lane([&](std::uint32_t lane) {
        const Quad<float> own = load_weights<Layout>(memory, lane, first + n, tile);
        const auto& [a, b, c, d] = own.values;
        std::uint32_t pieces[2][bf16_pieces];
        split_into_bf16(a, b, pieces[0]);
        split_into_bf16(c, d, pieces[1]);
        if constexpr (sums_weights) {
          sums[warp.index() * team_lanes + lane].weights[n] += (a + b) + (c + d);
        }
        RETORT_UNROLL for (std::size_t piece = 0; piece < bf16_pieces; ++piece) {
          weights[piece][lane] = FragmentB{{pieces[0][piece], pieces[1][piece]}};
        }
      });
      typename Warp::template PerLane<FragmentC> products[T::sample_tiles];
      RETORT_UNROLL for (std::size_t piece = bf16_pieces; piece-- > 0;) {
        RETORT_UNROLL for (std::uint32_t m = 0; m < T::sample_tiles; ++m) {
          warp.multiply_add(products[m], samples[m], weights[piece]);
        }
      }
      warp.for_each_lane([&](std::uint32_t lane) {
        auto& own = sums[warp.index() * team_lanes + lane];
        RETORT_UNROLL for (std::uint32_t half = 0; half < 2; ++half) {
          if (fragment_columns * (first + n) + fragment_members * half < T::out) {
            RETORT_UNROLL for (std::uint32_t m = 0; m < T::sample_tiles; ++m) {
              RETORT_UNROLL for (std::uint32_t row = 0; row < 2; ++row) {
                float& sum = own.values[m][2 * n + half][row];
                const float product = products[m][lane].values[half + 2 * row];
                sum = one_tile ? product : sum + product;
              }
            }
          }
        }
      });
    }
  }
}

/// Adds to a warp's sums what an offset of the inputs adds to each output: the sum of its weights times `offset`, which
/// is in the unit of the sums. The weights' sums come from other lanes.
template <typename Layout, typename Warp, typename Sums>
RETORT_HOST_DEVICE void add_offset(const Warp& warp, float offset, float* memory, Sums& sums) {
  using T = TensorStage<Layout>;
  float* row_sums = memory + Layout::row_sums + warp.index() * T::tiles_at_once * lane_count;
  warp.for_each_lane([&](std::uint32_t lane) {
    RETORT_UNROLL for (std::uint32_t n = 0; n < T::tiles_at_once; ++n) {
      row_sums[n * lane_count + lane] = sums[warp.index() * lane_count + lane].weights[n];
    }
  });
  warp.sync();
  warp.for_each_lane([&](std::uint32_t lane) {
    auto& own = sums[warp.index() * lane_count + lane];
    RETORT_UNROLL for (std::uint32_t half = 0; half < 2 * T::tiles_at_once; ++half) {
      const std::uint32_t column = 2 * lane_member(lane) + half % 2;
      const Quad<float> parts = load_quad(row_sums + half / 2 * lane_count + column * fragment_members);
      const auto& [a, b, c, d] = parts.values;
      const float more = offset * ((a + b) + (c + d));
      RETORT_UNROLL for (std::uint32_t m = 0; m < T::sample_tiles; ++m) {
        own.values[m][half][0] += more;
        own.values[m][half][1] += more;
      }
    }
  });
}

/// Writes a lane's sums to its warp's slice, (out, samples), or adds them to it.
template <typename Layout>
RETORT_HOST_DEVICE void store_slice(std::uint32_t lane, std::uint32_t first, const ForwardSums<Layout>& sums, bool add,
                                    float* slice) {
  using T = TensorStage<Layout>;
  RETORT_UNROLL for (std::uint32_t half = 0; half < 2 * T::tiles_at_once; ++half) {
    const std::uint32_t output = fragment_columns * (first + half / 2) + tile_output(lane_member(lane), half % 2);
    if (output < T::out) {
      RETORT_UNROLL for (std::uint32_t m = 0; m < T::sample_tiles; ++m) {
        RETORT_UNROLL for (std::uint32_t row = 0; row < 2; ++row) {
          float& to = slice[output * T::slice_stride + lane_group(lane) + fragment_rows * m + 8 * row];
          const float value = sums.values[m][half][row];
          to = add ? to + value : value;
        }
      }
    }
  }
}

/// weight (out, in) input (in, samples), the input's offset included, before bias, scale and Layout::sum_unit, in
/// Layout::forward_slices<0> slices of its depth. Where there is not room for a slice of each warp, some warps add
/// theirs to those of others, in a fixed order.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void tensor_forward_product(Team& team, const InputConstants<Scalar>& constants, Scalar* memory,
                                               const Scalar* inputs) {
  using T = TensorStage<Layout>;
  constexpr auto slices = static_cast<std::uint32_t>(Layout::template forward_slices<0>);
  constexpr auto warps = static_cast<std::uint32_t>(Layout::fragment_warps);
  for (std::uint32_t first = 0; first < T::output_tiles; first += T::tiles_at_once) {
    typename Team::template PerThread<ForwardSums<Layout>> sums;
    const auto store = [&](std::uint32_t warp, std::uint32_t lane) {
      store_slice<Layout>(lane, first, sums[warp * team_lanes + lane], warp >= slices,
                          memory + Layout::partial_sums + warp % slices * T::out * T::slice_stride);
    };
    team.warps([&](const auto& warp) {
      if (warp.index() >= warps) {
        return;
      }
      const auto* words = reinterpret_cast<const std::uint32_t*>(inputs);
      if (constants.adds_offset()) {
        multiply_slice<Layout, true>(warp, first, bf16_center(0.0f), memory, words, sums);
        add_offset<Layout>(warp, constants.offset / constants.scale / bf16_byte_unit, memory, sums);
      } else {
        multiply_slice<Layout, false>(warp, first, bf16_center(constants.center), memory, words, sums);
      }
      warp.for_each_lane([&](std::uint32_t lane) {
        if (warp.index() < slices) {
          store(warp.index(), lane);
        }
      });
    });
    for (std::uint32_t round = 1; round * slices < warps; ++round) {
      team([&](std::size_t thread) {
        const auto warp = static_cast<std::uint32_t>(thread / team_lanes);
        if (warp < warps && warp / slices == round) {
          store(warp, static_cast<std::uint32_t>(thread % team_lanes));
        }
      });
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
