// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a stage by multiply-add instructions. In a wide product a warp has a tile of the result and a slice
/// of its depth, each lane has its samples, and the next phase adds the slices. In a narrow one a thread has one or two
/// groups of four results.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/groups.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// The input of a stage.
template <typename Layout, std::size_t Index, typename Scalar>
RETORT_HOST_DEVICE auto stage_input(const Scalar* memory, const Scalar* inputs) {
  using M = typename Layout::Model;
  if constexpr (Index > 0) {
    return FeatureRows<Scalar, TiledStage<M, Index>::in, Layout::stride>{memory + Layout::template outputs<Index - 1>};
  } else if constexpr (Layout::input_kind == InputKind::bytes) {
    return ByteWords<Layout::word_stride>{reinterpret_cast<const std::uint32_t*>(inputs)};
  } else {
    return FeatureRows<Scalar, TiledStage<M, Index>::in, Layout::stride>{inputs};
  }
}

/// Calls function(tile, slice) for the pieces of this thread's warp.
template <std::size_t Tiles, std::size_t Slices, std::size_t Warps, typename Function>
RETORT_HOST_DEVICE void for_each_piece(std::size_t thread, const Function& function) {
  for (std::size_t piece = thread / team_lanes; piece < Tiles * Slices; piece += Warps) {
    function(piece % Tiles, piece / Tiles);
  }
}

template <std::size_t Slices>
RETORT_HOST_DEVICE constexpr std::size_t slice_begin(std::size_t slice, std::size_t depth) {
  return slice * depth / Slices;
}

/// Writes a lane's sums of features first ... first + Width - 1 of `Features` to its first sample's column of a slice.
template <typename Layout, std::size_t Features, std::size_t Width, typename Scalar>
RETORT_HOST_DEVICE void store_tile(const Scalar (&sums)[Layout::samples_per_lane][Width], std::size_t first,
                                   Scalar* column) {
  for (std::size_t i = 0; i < Width; ++i) {
    if (Features % Width == 0 || first + i < Features) {
      for (std::size_t j = 0; j < Layout::samples_per_lane; ++j) {
        column[(first + i) * Layout::stride + j * team_lanes] = sums[j][i];
      }
    }
  }
}

/// One thread's part of weight (out, in) input (in, samples), before bias and scale, in slices of its depth.
template <typename Layout, std::size_t Index, typename Scalar>
RETORT_HOST_DEVICE void forward_product(std::size_t thread, Scalar* memory, const Scalar* inputs) {
  using S = TiledStage<typename Layout::Model, Index>;
  static_assert(Index > 0 || Layout::weight_stride == S::in);
  constexpr std::size_t slices = Layout::template forward_slices<Index>;
  const auto input = stage_input<Layout, Index>(static_cast<const Scalar*>(memory), inputs);
  const Scalar* weight = memory + Layout::parameters + S::weight;
  const std::size_t lane = thread % team_lanes;
  for_each_piece<S::out_tiles, slices, Layout::warps>(thread, [&](std::size_t tile, std::size_t slice) {
    const std::size_t first = tile * S::out_tile;
    Scalar sums[Layout::samples_per_lane][S::out_tile] = {};
    for (std::size_t q = slice_begin<slices>(slice, S::quads); q < slice_begin<slices>(slice + 1, S::quads); ++q) {
      Scalar values[Layout::samples_per_lane][quad];
      for (std::size_t j = 0; j < Layout::samples_per_lane; ++j) {
        input.features(q, lane + j * team_lanes, values[j]);
      }
      for (std::size_t o = 0; o < S::out_tile; ++o) {
        const std::size_t row = S::out % S::out_tile == 0 || first + o < S::out ? first + o : S::out - 1;
        const Quad<Scalar> factors = weight_quad<S::in>(weight, row, q);
        for (std::size_t f = 0; f < quad; ++f) {
          for (std::size_t j = 0; j < Layout::samples_per_lane; ++j) {
            sums[j][o] += factors.values[f] * values[j][f];
          }
        }
      }
    }
    store_tile<Layout, S::out>(sums, first, memory + Layout::partial_sums + slice * S::out * Layout::stride + lane);
  });
}

/// One thread's part of weight^T (in, out) output_gradient (out, samples).
template <typename Layout, std::size_t Index, typename Scalar>
RETORT_HOST_DEVICE void backward_product(std::size_t thread, Scalar* memory) {
  using S = TiledStage<typename Layout::Model, Index>;
  constexpr std::size_t slices = Layout::template backward_slices<Index>;
  const Scalar* weight = memory + Layout::parameters + S::weight;
  const Scalar* gradients = memory + Layout::template sums<Index>;
  const std::size_t lane = thread % team_lanes;
  for_each_piece<S::in_tiles, slices, Layout::warps>(thread, [&](std::size_t tile, std::size_t slice) {
    const std::size_t first = tile * S::in_tile;
    Scalar sums[Layout::samples_per_lane][S::in_tile] = {};
    for (std::size_t o = slice_begin<slices>(slice, S::out); o < slice_begin<slices>(slice + 1, S::out); ++o) {
      for (std::size_t i = 0; i < S::in_tile; ++i) {
        const std::size_t column = S::in % S::in_tile == 0 || first + i < S::in ? first + i : S::in - 1;
        const Scalar factor = weight[o * S::in + column];
        for (std::size_t j = 0; j < Layout::samples_per_lane; ++j) {
          sums[j][i] += factor * gradients[o * Layout::stride + lane + j * team_lanes];
        }
      }
    }
    store_tile<Layout, S::in>(sums, first, memory + Layout::partial_sums + slice * S::in * Layout::stride + lane);
  });
}

/// Adds the slices of a product, (slices, features, samples), in order, at place i of a group.
template <std::size_t Slices, std::size_t SliceSize, typename Scalar, std::size_t Width>
RETORT_HOST_DEVICE void sum_slices(const Scalar* partial_sums, std::size_t i, GroupValues<Scalar, Width>& sums) {
  sums.load(i, partial_sums);
  RETORT_UNROLL for (std::size_t slice = 1; slice < Slices; ++slice) {
    GroupValues<Scalar, Width> next;
    next.load(i, partial_sums + slice * SliceSize);
    RETORT_UNROLL for (std::size_t j = 0; j < Width; ++j) { sums.values[j][i] += next.values[j][i]; }
  }
}

/// Whether a product is narrow: its depth is small, and no thread has more than two samples' groups of its results.
template <typename Layout>
constexpr bool is_narrow(std::size_t results, std::size_t depth) {
  return depth <= 32 && group_count(results) * Layout::samples <= 2 * Layout::threads;
}

/// Whether a stage's forward product is narrow. A thread's four outputs must then be one group of the chain.
template <typename Layout, std::size_t Index, typename S = TiledStage<typename Layout::Model, Index>>
inline constexpr bool narrow_forward = Index > 0 &&
                                       (S::out % quad == 0 || !S::has_chain) && is_narrow<Layout>(S::out, S::in);

/// The same for the product that takes the gradient of a stage's sums back to its inputs.
template <typename Layout, std::size_t Index, typename S = TiledStage<typename Layout::Model, Index>>
inline constexpr bool narrow_backward = S::in % quad == 0 && is_narrow<Layout>(S::in, S::out);

/// Adds to the sums of a group weight (out, in) input (in, samples), for stages after the first. Sums after the last
/// output are meaningless.
template <typename Layout, std::size_t Index, typename Scalar, std::size_t Width>
RETORT_HOST_DEVICE void multiply_group(const Scalar* memory, const Group<Width>& group,
                                       GroupValues<Scalar, Width>& sums) {
  using S = TiledStage<typename Layout::Model, Index>;
  const Scalar* weight = memory + Layout::parameters + S::weight;
  const Scalar* input = memory + Layout::template outputs<Index - 1> + group.places[0].sample;
  RETORT_UNROLL for (std::uint32_t q = 0; q < S::quads; ++q) {
    GroupValues<Scalar, Width> values;
    RETORT_UNROLL for (std::uint32_t f = 0; f < quad; ++f) {
      if (S::in % quad == 0 || quad * q + f < S::in) {
        values.load(f, input + (quad * q + f) * Layout::stride);
      }
    }
    RETORT_UNROLL for (std::uint32_t i = 0; i < quad; ++i) {
      constexpr auto last_row = static_cast<std::uint32_t>(S::out - 1);
      const std::uint32_t feature = group.places[i].feature;
      const std::uint32_t row = S::out % quad == 0 || feature < S::out ? feature : last_row;
      const Quad<Scalar> factors = weight_quad<S::in>(weight, row, q);
      RETORT_UNROLL for (std::uint32_t f = 0; f < quad; ++f) {
        RETORT_UNROLL for (std::size_t j = 0; j < Width; ++j) {
          sums.values[j][i] += factors.values[f] * values.values[j][f];
        }
      }
    }
  }
}

/// The same for weight^T (in, out) output_gradient (out, samples), a group of inputs.
template <typename Layout, std::size_t Index, typename Scalar, std::size_t Width>
RETORT_HOST_DEVICE void multiply_group_back(const Scalar* memory, const Group<Width>& group,
                                            GroupValues<Scalar, Width>& sums) {
  using S = TiledStage<typename Layout::Model, Index>;
  const Scalar* weight = memory + Layout::parameters + S::weight + group.places[0].feature;
  const Scalar* gradients = memory + Layout::template sums<Index> + group.places[0].sample;
  RETORT_UNROLL for (std::uint32_t o = 0; o < S::out; ++o) {
    const Quad<Scalar> factors = load_quad(weight + o * S::in);
    GroupValues<Scalar, Width> values;  // the same output of each sample
    values.load(0, gradients + o * Layout::stride);
    RETORT_UNROLL for (std::uint32_t i = 0; i < quad; ++i) {
      RETORT_UNROLL for (std::size_t j = 0; j < Width; ++j) {
        sums.values[j][i] += factors.values[i] * values.values[j][0];
      }
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
