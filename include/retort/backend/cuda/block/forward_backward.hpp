// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The stages of a model forward and backward over a chunk. A product is one phase; a second phase adds its slices and
/// applies what follows. A narrow product (products.hpp) does both in one.

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/groups.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/products.hpp"
#include "retort/backend/cuda/block/tensor_forward.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// All stages forward, in training or outside of it. `random` is that of layer 0. All blocks of a cluster call it
/// together.
template <typename Layout, bool training, typename Team, typename Scalar>
RETORT_HOST_DEVICE void forward(Team& team, const data::GatherConstants<Scalar>& constants, const LayerRandom& random,
                                const Chunk& chunk, Scalar* memory, const Scalar* inputs) {
  using M = typename Layout::Model;
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  for_each_stage<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    // Applies to a group what follows its product: bias and chain.
    const auto finish = [&](std::uint64_t group, const detail::Place(&places)[quad], std::uint32_t count,
                            Scalar(&values)[quad]) {
      const auto at = [&](std::size_t i) { return places[i].feature * stride + places[i].sample; };
      RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
        if (i < count) {
          if (S::has_bias) {
            values[i] += memory[Layout::parameters + S::bias + places[i].feature];
          }
          if constexpr (S::has_chain) {
            memory[Layout::template sums<Index> + at(i)] = values[i];
          }
        }
      }
      if constexpr (S::has_chain) {
        apply_chain<training, false>(typename S::Chain{}, LayerRandom{random.seed, random.step, S::chain_layer}, group,
                                     values);
      }
      RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
        if (i < count) {
          memory[Layout::template outputs<Index> + at(i)] = values[i];
        }
      }
    };
    if constexpr (detail::narrow_forward<Layout, Index>) {
      team([&](std::size_t thread) {
        detail::for_each_group<Layout, S::out, S::has_chain>(
            thread, chunk, [&](std::uint64_t group, const detail::Place(&places)[quad], std::uint32_t count) {
              Scalar values[quad] = {};
              detail::multiply_group<Layout, Index>(static_cast<const Scalar*>(memory), inputs, places[0], values);
              finish(group, places, count, values);
            });
      });
    } else {
      constexpr bool exchanged = Index == 0 && Layout::blocks > 1;
      constexpr bool has_row_sums = Index == 0 && Layout::has_row_sums;
      if constexpr (Index == 0 && Layout::on_tensor_cores) {
        detail::tensor_forward_product<Layout>(team, constants, memory, inputs);
      } else {
        team([&](std::size_t thread) {
          detail::forward_product<Layout, Index>(thread, memory, inputs);
          if (has_row_sums && has_offset<Layout>(constants)) {
            sum_rows<Layout>(thread, constants.offset, memory);
          }
        });
      }
      constexpr std::size_t slices = exchanged ? Layout::blocks : Layout::template forward_slices<Index>;
      const Scalar* partial_sums = memory + Layout::partial_sums;
      if constexpr (exchanged) {
        exchange_sums<Layout>(team, constants, chunk, memory);
        partial_sums = memory + place_of_sums<Layout>(chunk, 0);
      }
      team([&](std::size_t thread) {
        const bool of_bytes = Index == 0 && !exchanged && Layout::input_kind == InputKind::bytes;
        const Scalar scale = of_bytes ? constants.scale : Scalar{1};
        const bool offset = has_row_sums && !exchanged && has_offset<Layout>(constants);
        detail::for_each_group<Layout, S::out, S::has_chain>(
            thread, chunk, [&](std::uint64_t group, const detail::Place(&places)[quad], std::uint32_t count) {
              Scalar values[quad] = {};
              RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
                if (i < count) {
                  values[i] = scale * detail::sum_slices<slices, S::out * Layout::stride>(
                                          partial_sums, places[i].feature * stride + places[i].sample);
                  if (offset) {
                    values[i] += memory[Layout::row_sums + places[i].feature];
                  }
                }
              }
              finish(group, places, count, values);
            });
      });
    }
  });
}

/// All stages backward. Begins with the gradient of the last stage's outputs, which stands in their place, and puts the
/// gradient of each stage's sums in the place of those sums.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void backward(Team& team, const LayerRandom& random, const Chunk& chunk, Scalar* memory) {
  using M = typename Layout::Model;
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  for_each_stage_reversed<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    constexpr bool last = S::is_last;
    constexpr bool narrow = [] {
      if constexpr (last) {
        return false;
      } else {
        return detail::narrow_backward<Layout, Index + 1>;
      }
    }();
    if constexpr (!last && !narrow) {
      team([&](std::size_t thread) { detail::backward_product<Layout, Index + 1>(thread, memory); });
    }
    if constexpr (!last || S::has_chain) {
      team([&](std::size_t thread) {
        detail::for_each_group<Layout, S::out, S::has_chain>(
            thread, chunk, [&](std::uint64_t group, const detail::Place(&places)[quad], std::uint32_t count) {
              const auto at = [&](std::size_t i) { return places[i].feature * stride + places[i].sample; };
              Scalar values[quad] = {};
              Scalar gradients[quad] = {};
              if constexpr (narrow) {
                detail::multiply_group_back<Layout, Index + 1>(static_cast<const Scalar*>(memory), places[0],
                                                               gradients);
              }
              RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
                if (i < count) {
                  if constexpr (S::has_chain) {
                    values[i] = memory[Layout::template sums<Index> + at(i)];
                  }
                  if constexpr (last) {
                    gradients[i] = memory[Layout::template outputs<Index> + at(i)];
                  } else if constexpr (!narrow) {
                    gradients[i] =
                        detail::sum_slices<Layout::template backward_slices<Index + 1>, S::out * Layout::stride>(
                            memory + Layout::partial_sums, at(i));
                  }
                }
              }
              if constexpr (S::has_chain) {
                apply_chain<true, true>(typename S::Chain{}, LayerRandom{random.seed, random.step, S::chain_layer},
                                        group, values, gradients);
              }
              RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
                if (i < count) {
                  memory[Layout::template sums<Index> + at(i)] = gradients[i];
                }
              }
            });
      });
    }
  });
}

/// How many samples of a chunk the sums over samples add up: on tensor cores always as many as a chunk has room for, so
/// that loops can be unrolled.
template <typename Layout>
RETORT_HOST_DEVICE std::size_t summed_samples(const Chunk& chunk) {
  return Layout::on_tensor_cores ? Layout::samples : (chunk.size + quad - 1) / quad * quad;
}

/// Zeros for the gradients of the samples that a chunk lacks, where the sums over samples read them.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void clear_missing(std::size_t thread, const Chunk& chunk, Scalar* memory) {
  using M = typename Layout::Model;
  const std::size_t end = summed_samples<Layout>(chunk);
  if (end == chunk.size) {
    return;
  }
  for_each_stage<M>([&]<std::size_t Index>() {
    for (std::size_t feature = thread; feature < TiledStage<M, Index>::out; feature += Layout::threads) {
      for (std::size_t sample = chunk.size; sample < end; ++sample) {
        memory[Layout::template sums<Index> + feature * Layout::stride + sample] = 0;
      }
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
