// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The gradients of all weights and biases. Each reaches the thread that has the parameter.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/block/products.hpp"
#include "retort/backend/cuda/block/shared_tiles.hpp"
#include "retort/backend/cuda/block/tensor_gradient.hpp"
#include "retort/backend/cuda/block/tiles.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// Calls function(place in the parameters, gradients of that output's sums) for each bias of a thread. Biases are given
/// out from the last thread on, tiles from the first.
template <typename Layout, typename Scalar, typename Function>
RETORT_HOST_DEVICE void for_each_bias(std::size_t thread, const Scalar* memory, const Function& function) {
  for (std::size_t slot = 0; slot != Layout::bias_slots; ++slot) {
    const std::size_t bias = Layout::threads - 1 - thread + slot * Layout::threads;
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

/// Where gradients go: tile.template operator()<Index>(thread, tile, sums), pairs(thread, pairs, gradients) for those
/// that tensor cores compute, and bias(thread, place, gradient).
template <typename OnTile, typename OnPairs, typename OnBias>
struct GradientSink {
  OnTile tile;
  OnPairs pairs;
  OnBias bias;
};
template <typename OnTile, typename OnPairs, typename OnBias>
GradientSink(OnTile, OnPairs, OnBias) -> GradientSink<OnTile, OnPairs, OnBias>;

/// Hands all gradients over a chunk to the sink, in phases of the team after which copies have arrived. On tensor cores
/// the phase that splits the first stage's gradients also computes those after the first weight. `beside(thread)` is
/// called in the first phase.
template <typename Layout, typename Team, typename Job, typename Scalar, typename Sink, typename Beside>
RETORT_HOST_DEVICE void for_each_gradient(Team& team, const Job& job, const Chunk& chunk, Scalar* memory,
                                          const Scalar* inputs, const Sink& sink, const Beside& beside) {
  const Scalar* values = memory;
  const std::size_t samples = summed_samples<Layout>(chunk);
  const auto biases = [&](std::size_t thread) {
    for_each_bias<Layout>(thread, values, [&](std::size_t place, const Scalar* gradients) {
      sink.bias(thread, place, sum_samples(gradients, samples));
    });
  };
  if constexpr (Layout::on_tensor_cores) {
    team.warps([&](const auto& warp) {
      warp.for_each_lane([&](std::uint32_t lane) {
        const std::size_t thread = warp.index() * team_lanes + lane;
        split_gradients<Layout>(thread, job.training.constants, memory);
        biases(thread);
        beside(thread);
      });
      if constexpr (Layout::slots > 0) {
        shared_tile_gradients<Layout>(warp, values, sink.tile);
      }
    });
    team.warps([&](const auto& warp) {
      tensor_gradient<Layout>(warp, job.training.constants, memory, inputs, sink.pairs);
      warp.for_each_lane([&](std::uint32_t lane) { team.await_copies(warp.index() * team_lanes + lane); });
    });
  } else {
    team([&](std::size_t thread) {
      for_each_tile<Layout>(thread, [&]<std::size_t Index>(const WeightTile& tile) {
        Scalar sums[Layout::template out_tile<Index>][quad] = {};
        tile_gradient<Layout, Index>(stage_input<Layout, Index>(values, inputs), job.training.constants,
                                     values + Layout::template sums<Index>, tile, samples, sums);
        sink.tile.template operator()<Index>(thread, tile, sums);
      });
      biases(thread);
      beside(thread);
      team.await_copies(thread);
    });
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
