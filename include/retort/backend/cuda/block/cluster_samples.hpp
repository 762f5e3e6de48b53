// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A block's own samples through all stages, after the first one's product, and back: a phase of a cluster. A warp
/// takes a few samples all the way, so that it waits for no other one. A lane has an output of a stage.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/cluster_exchange.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/block/sample_loss.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

namespace detail {

/// Samples that a warp takes together. `first`: the first one's number among the block's; `position`: in its batch.
struct OwnSamples {
  std::uint32_t first;
  std::uint64_t position;
};

/// The chain on one element of a batch: its group is taken as four of the same value, of which the element's own is
/// kept. So no lane has to have the others; what is equal for all four is computed once.
template <bool differentiate, typename Chain, typename Scalar>
RETORT_HOST_DEVICE Scalar apply_chain_to_element(Chain chain, const LayerRandom& random, std::uint64_t element,
                                                 Scalar value, Scalar gradient) {
  Scalar values[quad];
  Scalar gradients[quad];
  RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
    values[i] = value;
    gradients[i] = gradient;
  }
  apply_chain<true, differentiate>(chain, random, element / quad, values, gradients);
  Scalar result = differentiate ? gradients[0] : values[0];
  RETORT_UNROLL for (std::size_t i = 1; i < quad; ++i) {
    const Scalar other = differentiate ? gradients[i] : values[i];
    result = element % quad == i ? other : result;
  }
  return result;
}

/// The samples' sums of an output of the first stage, from all blocks' parts in order.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void add_parts(const Scalar* memory, std::uint32_t output, std::uint32_t first,
                                  Scalar (&sums)[samples_at_once]) {
  const Scalar* parts = memory + Layout::sums_of_blocks + output * Layout::own_stride + first;
  RETORT_UNROLL for (std::uint32_t block = 0; block < Layout::blocks; ++block) {
    const Pair<Scalar> part = load_pair(parts + block * Layout::First::out * Layout::own_stride);
    RETORT_UNROLL for (std::uint32_t j = 0; j < samples_at_once; ++j) { sums[j] += part.values[j]; }
  }
}

/// The samples' sums of an output of a later stage.
template <typename Layout, std::size_t Index, typename Scalar>
RETORT_HOST_DEVICE void multiply_row(const Scalar* memory, std::uint32_t output, std::uint32_t first,
                                     Scalar (&sums)[samples_at_once]) {
  using S = TiledStage<typename Layout::Model, Index>;
  constexpr std::uint32_t row = Layout::template row<Index - 1>;
  const Scalar* inputs = memory + Layout::template own_outputs<Index - 1> + first * row;
  for (std::uint32_t q = 0; q < S::quads; ++q) {
    const Quad<Scalar> factors = weight_quad<S::in>(memory + Layout::parameters + S::weight, output, q);
    RETORT_UNROLL for (std::uint32_t j = 0; j < samples_at_once; ++j) {
      const Quad<Scalar> values = load_quad(inputs + j * row + quad * q);
      RETORT_UNROLL for (std::size_t f = 0; f < quad; ++f) { sums[j] += factors.values[f] * values.values[f]; }
    }
  }
}

/// The gradients of an input of a later stage, from those of its sums.
template <typename Layout, std::size_t Index, typename Scalar>
RETORT_HOST_DEVICE void multiply_column(const Scalar* memory, std::uint32_t input, std::uint32_t first,
                                        Scalar (&sums)[samples_at_once]) {
  using S = TiledStage<typename Layout::Model, Index>;
  constexpr std::uint32_t row = Layout::template row<Index>;
  const Scalar* gradients = memory + Layout::template own_sums<Index> + first * row;
  const Scalar* column = memory + Layout::parameters + S::weight + input;
  for (std::uint32_t output = 0; output < S::out; output += quad) {
    Quad<Scalar> values[samples_at_once];
    RETORT_UNROLL for (std::uint32_t j = 0; j < samples_at_once; ++j) {
      values[j] = load_quad(gradients + j * row + output);
    }
    RETORT_UNROLL for (std::uint32_t o = 0; o < quad; ++o) {
      if (S::out % quad == 0 || output + o < S::out) {
        const Scalar factor = column[(output + o) * S::in];
        RETORT_UNROLL for (std::uint32_t j = 0; j < samples_at_once; ++j) { sums[j] += factor * values[j].values[o]; }
      }
    }
  }
}

template <typename Layout, std::size_t Index, typename Warp, typename Scalar>
RETORT_HOST_DEVICE void forward_own(const Warp& warp, const LayerRandom& random, const OwnSamples& samples,
                                    Scalar* memory) {
  using S = TiledStage<typename Layout::Model, Index>;
  constexpr std::uint32_t row = Layout::template row<Index>;
  warp.for_each_lane([&](std::uint32_t lane) {
    for (std::uint32_t output = lane; output < S::out; output += lane_count) {
      Scalar sums[samples_at_once] = {};
      if constexpr (Index == 0) {
        add_parts<Layout>(static_cast<const Scalar*>(memory), output, samples.first, sums);
      } else {
        multiply_row<Layout, Index>(static_cast<const Scalar*>(memory), output, samples.first, sums);
      }
      const Scalar bias = S::has_bias ? memory[Layout::parameters + S::bias + output] : Scalar{0};
      RETORT_UNROLL for (std::uint32_t j = 0; j < samples_at_once; ++j) {
        const std::uint32_t place = (samples.first + j) * row + output;
        Scalar value = sums[j] + bias;
        if constexpr (S::has_chain) {
          memory[Layout::template own_sums<Index> + place] = value;
          value = apply_chain_to_element<false>(typename S::Chain{}, {random.seed, random.step, S::chain_layer},
                                                (samples.position + j) * S::out + output, value, Scalar{0});
        }
        memory[Layout::template own_outputs<Index> + place] = value;
      }
    }
  });
  warp.sync();
}

/// Puts the gradients of a stage's sums in the place of those sums, and sends those of the first stage to all blocks.
/// The gradients of the last stage's outputs stand in the outputs' place.
template <typename Layout, std::size_t Index, typename Team, typename Warp, typename Scalar>
RETORT_HOST_DEVICE void backward_own(const Team& team, const Warp& warp, const LayerRandom& random,
                                     const OwnSamples& samples, Scalar* memory) {
  using S = TiledStage<typename Layout::Model, Index>;
  if constexpr (S::is_last && !S::has_chain && Index > 0) {
    return;
  }
  constexpr std::uint32_t row = Layout::template row<Index>;
  warp.for_each_lane([&](std::uint32_t lane) {
    for (std::uint32_t output = lane; output < S::out; output += lane_count) {
      Scalar sums[samples_at_once] = {};
      if constexpr (!S::is_last) {
        multiply_column<Layout, Index + 1>(static_cast<const Scalar*>(memory), output, samples.first, sums);
      }
      Pair<Scalar> gradients;
      RETORT_UNROLL for (std::uint32_t j = 0; j < samples_at_once; ++j) {
        const std::uint32_t place = (samples.first + j) * row + output;
        Scalar gradient = S::is_last ? memory[Layout::template own_outputs<Index> + place] : sums[j];
        Scalar& sum = memory[Layout::template own_sums<Index> + place];
        if constexpr (S::has_chain) {
          gradient = apply_chain_to_element<true>(typename S::Chain{}, {random.seed, random.step, S::chain_layer},
                                                  (samples.position + j) * S::out + output, sum, gradient);
        }
        sum = gradient;
        gradients.values[j] = gradient;
      }
      if constexpr (Index == 0) {
        const auto sample = static_cast<std::uint32_t>(team.block() * Layout::own_samples) + samples.first;
        if (sample < Layout::samples) {
          in_all_blocks<Layout>(team, memory + Layout::template sums<0> + output * Layout::stride + sample,
                                [&](Scalar* there) { store_pair(gradients, there); });
        }
      }
    }
  });
  if constexpr (Index > 0) {
    warp.sync();  // else no lane of the warp reads them in this phase
  }
}

/// The loss of samples: the gradients take the place of the logits, zeros those of samples that are not there.
template <typename Layout, typename Team, typename Warp, Loss L, std::size_t Moments, typename Rule, typename Scalar>
RETORT_HOST_DEVICE void evaluate_own(const Warp& warp, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                     const Chunk& own, const OwnSamples& samples, const Scalar* targets,
                                     Scalar* memory) {
  constexpr std::size_t last = stage_count<typename Layout::Model> - 1;
  using Lanes = LanesOfSample<Layout, Team, L, Scalar, team_lanes / samples_at_once>;
  constexpr auto count = static_cast<std::uint32_t>(Lanes::count);
  constexpr std::uint32_t row = Layout::template row<last>;
  warp.for_each_lane([&](std::uint32_t lane) {
    const bool has_sample = lane < samples_at_once * count;
    const std::uint32_t sample = samples.first + (has_sample ? lane / count : 0);
    const bool exists = has_sample && sample < own.size;
    Scalar* logits = memory + Layout::template own_outputs<last> + sample * row;
    evaluate_sample<Layout>(job, own, sample, exists, Lanes{lane % count}, targets, logits, 1);
    if (has_sample && !exists) {
      for (std::uint32_t k = lane % count; k < row; k += count) {
        logits[k] = 0;
      }
    }
  });
  warp.sync();
}

}  // namespace detail

/// The warps that take_own_samples() has work for, and the first of the others; 0 where there are none.
template <typename Layout>
inline constexpr std::size_t sample_warps = std::min<std::size_t>(Layout::own_samples / samples_at_once, Layout::warps);
template <typename Layout>
inline constexpr std::size_t first_free_warp = sample_warps<Layout> < Layout::warps ? sample_warps<Layout> : 0;

/// A warp's part of the phase. `own`: the block's samples of the chunk; `targets`: see gather_targets(). Sums over
/// samples read all of a block's, so those that are not there have gradients of zero.
template <typename Layout, typename Team, typename Warp, typename Job, typename Scalar>
RETORT_HOST_DEVICE void take_own_samples(const Team& team, const Warp& warp, const Job& job, const LayerRandom& random,
                                         const Chunk& own, const Scalar* targets, Scalar* memory) {
  using M = typename Layout::Model;
  constexpr auto at_once = static_cast<std::uint32_t>(samples_at_once);
  for (std::uint32_t first = warp.index() * at_once; first < Layout::own_samples;
       first += static_cast<std::uint32_t>(sample_warps<Layout>) * at_once) {
    const detail::OwnSamples samples{first, own.first - own.batch_first + first};
    for_each_stage<M>([&]<std::size_t Index>() { detail::forward_own<Layout, Index>(warp, random, samples, memory); });
    detail::evaluate_own<Layout, Team>(warp, job, own, samples, targets, memory);
    for_each_stage_reversed<M>(
        [&]<std::size_t Index>() { detail::backward_own<Layout, Index>(team, warp, random, samples, memory); });
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
