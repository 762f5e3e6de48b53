// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Which weights a thread has, and their gradients. Threads have tiles of weights, or on tensor cores, of the first
/// stage, what their lane has of their warp's fragments.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/block/tensor_gradient.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// Weights of one stage, some outputs by a quad of inputs, which are one thread's: `index`, which of the thread's
/// weights is the first; `first`, its output; `q`, its quad.
struct WeightTile {
  std::size_t index;
  std::size_t first;
  std::size_t q;
};

/// Calls function.template operator()<Index>(tile) for each WeightTile of a thread.
template <typename Layout, typename Function>
RETORT_HOST_DEVICE void for_each_tile(std::size_t thread, const Function& function) {
  if constexpr (Layout::first_tile_thread > 0) {
    if (thread < Layout::first_tile_thread) {
      return;
    }
  }
  RETORT_UNROLL for (std::size_t slot = 0; slot < Layout::slots; ++slot) {
    const std::size_t tile = thread - Layout::first_tile_thread + slot * Layout::tile_threads;
    for_each_stage<typename Layout::Model>([&]<std::size_t Index>() {
      using S = TiledStage<typename Layout::Model, Index>;
      if constexpr ((Layout::template weight_tiles<Index>) > 0) {
        const std::size_t own = tile - Layout::template first_tile<Index>;  // huge for a tile of an earlier stage
        if (own < Layout::template weight_tiles<Index>) {
          function.template operator()<Index>(
              WeightTile{slot * Layout::tile_size, own / S::quads * Layout::template out_tile<Index>, own % S::quads});
        }
      }
    });
  }
}

/// Calls function(where in the parameters, the gradients of the stage's sums of that output) for each bias of a thread.
template <typename Layout, typename Scalar, typename Function>
RETORT_HOST_DEVICE void for_each_bias(std::size_t thread, const Scalar* memory, const Function& function) {
  for (std::size_t slot = 0; slot < Layout::bias_slots; ++slot) {
    const std::size_t bias = thread + slot * Layout::threads;
    for_each_stage<typename Layout::Model>([&]<std::size_t Index>() {
      using S = TiledStage<typename Layout::Model, Index>;
      if constexpr (S::has_bias) {
        const std::size_t own = bias - Layout::template first_bias<Index>;
        if (own < S::out) {
          function(S::bias + own, memory + Layout::template sums<Index> + own * Layout::stride);
        }
      }
    });
  }
}

/// sums[o][f] = sum over the samples of output_gradient[tile.first + o] input[4 tile.q + f].
template <typename Layout, std::size_t Index, typename Input, typename Scalar>
RETORT_HOST_DEVICE void tile_gradient(const Input& input, const data::GatherConstants<Scalar>& constants,
                                      const Scalar* output_gradient, const WeightTile& tile, std::size_t samples,
                                      Scalar (&sums)[Layout::template out_tile<Index>][quad]) {
  using S = TiledStage<typename Layout::Model, Index>;
  constexpr std::size_t out_tile = Layout::template out_tile<Index>;
  const auto row = [&](std::size_t o) {
    const std::size_t output = tile.first + o;
    return output_gradient + (S::out % out_tile == 0 || output < S::out ? output : S::out - 1) * Layout::stride;
  };
  for (std::size_t sample = 0; sample < samples; sample += quad) {
    Scalar values[quad][quad];
    input.square(tile.q, sample, values);
    for (std::size_t o = 0; o < out_tile; ++o) {
      const Quad<Scalar> factors = load_quad(row(o) + sample);
      for (std::size_t f = 0; f < quad; ++f) {
        for (std::size_t j = 0; j < quad; ++j) {
          sums[o][f] += factors.values[j] * values[f][j];
        }
      }
    }
  }
  if constexpr (Index == 0 && Layout::input_kind == InputKind::bytes) {
    for (std::size_t o = 0; o < out_tile; ++o) {
      const Scalar offset = has_offset<Layout>(constants) ? constants.offset * sum_samples(row(o), samples) : Scalar{0};
      for (std::size_t f = 0; f < quad; ++f) {
        sums[o][f] = sums[o][f] * constants.scale + offset;
      }
    }
  }
}

/// What becomes of gradients: tile.template operator()<Index>(thread, tile, sums), pairs(thread, pairs, gradients) for
/// those that tensor cores compute, and bias(thread, place, gradient).
template <typename OnTile, typename OnPairs, typename OnBias>
struct GradientSink {
  OnTile tile;
  OnPairs pairs;
  OnBias bias;
};
template <typename OnTile, typename OnPairs, typename OnBias>
GradientSink(OnTile, OnPairs, OnBias) -> GradientSink<OnTile, OnPairs, OnBias>;

/// All gradients over a chunk go to the sink, in phases of the team behind which copies are there.
template <typename Layout, typename Team, typename Job, typename Scalar, typename Sink>
RETORT_HOST_DEVICE void for_each_gradient(Team& team, const Job& job, const Chunk& chunk, Scalar* memory,
                                          const Scalar* inputs, const Sink& sink) {
  const auto of_thread = [&](std::size_t thread) {
    const Scalar* values = memory;
    const std::size_t samples = (chunk.size + quad - 1) / quad * quad;
    for_each_tile<Layout>(thread, [&]<std::size_t Index>(const WeightTile& tile) {
      Scalar sums[Layout::template out_tile<Index>][quad] = {};
      tile_gradient<Layout, Index>(stage_input<Layout, Index>(values, inputs), job.training.constants,
                                   values + Layout::template sums<Index>, tile, samples, sums);
      sink.tile.template operator()<Index>(thread, tile, sums);
    });
    for_each_bias<Layout>(thread, values, [&](std::size_t place, const Scalar* gradients) {
      sink.bias(thread, place, sum_samples(gradients, samples));
    });
    team.await_copies(thread);
  };
  if constexpr (Layout::on_tensor_cores) {
    team([&](std::size_t thread) { split_gradients<Layout>(thread, job.training.constants, chunk, memory); });
    team.warps([&](const auto& warp) {
      tensor_gradient<Layout>(warp, job.training.constants, memory, inputs, sink.pairs);
      warp.for_each_lane([&](std::uint32_t lane) { of_thread(warp.index() * team_lanes + lane); });
    });
  } else {
    team(of_thread);
  }
}

/// Calls function(o, place of the first of its elements, their count) for each row of a tile that is inside the weight:
/// a quad, or what there is before the row's end.
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
