// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The stages of a model forward and backward over a chunk. Each product is one phase, in which a warp has a tile of
/// the result and a slice of its depth, and a lane its samples; a second phase adds the slices and applies what
/// follows.

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/chain.hpp"
#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/block/tensor_forward.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

namespace detail {

/// What enters a stage.
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

/// A lane's sums of features first ... first + Width - 1 of `Features`, to its first sample's column of a slice.
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

/// The slices of a product, (slices, features, samples), added in order.
template <std::size_t Slices, std::size_t SliceSize, typename Scalar>
RETORT_HOST_DEVICE Scalar sum_slices(const Scalar* partial_sums, std::size_t place) {
  Scalar sum = partial_sums[place];
  RETORT_UNROLL for (std::size_t slice = 1; slice < Slices; ++slice) { sum += partial_sums[slice * SliceSize + place]; }
  return sum;
}

/// An element of a matrix (features, samples).
struct Place {
  std::uint32_t feature;
  std::uint32_t sample;
};

/// Calls function(group, places, count) for the groups of four neighbours, counted through the batch as a Chain counts
/// them, of this thread; the first `count` of them are of the chunk.
template <typename Layout, std::size_t Features, typename Function>
RETORT_HOST_DEVICE void for_each_group(std::size_t thread, const Chunk& chunk, const Function& function) {
  constexpr std::uint32_t features = Features;
  constexpr std::uint32_t neighbours = quad;
  // Chunks begin at a multiple of four samples of their batch, so that groups lie within a chunk.
  const std::uint32_t elements = static_cast<std::uint32_t>(chunk.size) * features;
  const std::uint64_t first_group = (chunk.first - chunk.batch_first) * Features / chain_group;
  for (auto group = static_cast<std::uint32_t>(thread); group * neighbours < elements;
       group += static_cast<std::uint32_t>(Layout::threads)) {
    Place places[quad];
    RETORT_UNROLL for (std::uint32_t i = 0; i < neighbours; ++i) {
      if constexpr (features % neighbours == 0) {  // all four are of one sample
        places[i].sample = group / (features / neighbours);
        places[i].feature = group % (features / neighbours) * neighbours + i;
      } else {
        places[i].sample = (group * neighbours + i) / features;
        places[i].feature = (group * neighbours + i) % features;
      }
    }
    const std::uint32_t rest = elements - group * neighbours;
    function(first_group + group, places, features % neighbours == 0 || rest > neighbours ? neighbours : rest);
  }
}

}  // namespace detail

/// All stages forward, in training or outside of it. `random`: of layer 0. Of a cluster all blocks call it together.
template <typename Layout, bool training, typename Team, typename Scalar>
RETORT_HOST_DEVICE void forward(Team& team, const data::GatherConstants<Scalar>& constants, const LayerRandom& random,
                                const Chunk& chunk, Scalar* memory, const Scalar* inputs) {
  using M = typename Layout::Model;
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  for_each_stage<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    const auto add_offset = [&](std::size_t thread) {
      if (Index == 0 && has_offset<Layout>(constants)) {
        sum_rows<Layout>(thread, constants.offset, memory);
      }
    };
    if constexpr (Index == 0 && Layout::on_tensor_cores) {
      detail::tensor_forward_product<Layout>(team, memory, inputs, add_offset);
    } else {
      team([&](std::size_t thread) {
        detail::forward_product<Layout, Index>(thread, memory, inputs);
        add_offset(thread);
      });
    }
    constexpr bool exchanged = Index == 0 && Layout::blocks > 1;
    constexpr std::size_t slices = exchanged ? Layout::blocks : Layout::template forward_slices<Index>;
    const Scalar* partial_sums = memory + Layout::partial_sums;
    if constexpr (exchanged) {
      exchange_sums<Layout>(team, constants, chunk, memory);
      partial_sums = memory + place_of_sums<Layout>(chunk, 0);
    }
    team([&](std::size_t thread) {
      const bool of_bytes = Index == 0 && !exchanged && Layout::input_kind == InputKind::bytes;
      const Scalar scale = of_bytes ? constants.scale : Scalar{1};
      const bool offset = of_bytes && has_offset<Layout>(constants);
      detail::for_each_group<Layout, S::out>(
          thread, chunk, [&](std::uint64_t group, const detail::Place(&places)[quad], std::uint32_t count) {
            const auto at = [&](std::size_t i) { return places[i].feature * stride + places[i].sample; };
            Scalar values[quad] = {};
            RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
              if (i < count) {
                values[i] = detail::sum_slices<slices, S::out * Layout::stride>(partial_sums, at(i));
                values[i] *= scale;
                if (S::has_bias) {
                  values[i] += memory[Layout::parameters + S::bias + places[i].feature];
                }
                if (offset) {
                  values[i] += memory[Layout::row_sums + places[i].feature];
                }
                if constexpr (S::has_chain) {
                  memory[Layout::template sums<Index> + at(i)] = values[i];
                }
              }
            }
            if constexpr (S::has_chain) {
              apply_chain<training, false>(typename S::Chain{}, LayerRandom{random.seed, random.step, S::chain_layer},
                                           group, values);
            }
            RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
              if (i < count) {
                memory[Layout::template outputs<Index> + at(i)] = values[i];
              }
            }
          });
    });
  });
}

/// All stages backward, from the gradient of the last stage's outputs, which stands in their place, to the gradient of
/// each stage's sums, which takes the place of those.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void backward(Team& team, const LayerRandom& random, const Chunk& chunk, Scalar* memory) {
  using M = typename Layout::Model;
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  for_each_stage_reversed<M>([&]<std::size_t Index>() {
    using S = TiledStage<M, Index>;
    constexpr bool last = S::is_last;
    if constexpr (!last) {
      team([&](std::size_t thread) { detail::backward_product<Layout, Index + 1>(thread, memory); });
    }
    if constexpr (!last || S::has_chain) {
      team([&](std::size_t thread) {
        detail::for_each_group<Layout, S::out>(
            thread, chunk, [&](std::uint64_t group, const detail::Place(&places)[quad], std::uint32_t count) {
              const auto at = [&](std::size_t i) { return places[i].feature * stride + places[i].sample; };
              Scalar values[quad] = {};
              Scalar gradients[quad] = {};
              RETORT_UNROLL for (std::size_t i = 0; i < quad; ++i) {
                if (i < count) {
                  if constexpr (S::has_chain) {
                    values[i] = memory[Layout::template sums<Index> + at(i)];
                  }
                  if constexpr (last) {
                    gradients[i] = memory[Layout::template outputs<Index> + at(i)];
                  } else {
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

/// Zeros for the gradients of the samples that a chunk lacks, up to a whole quad: the sums over samples take them in.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void clear_missing(std::size_t thread, const Chunk& chunk, Scalar* memory) {
  using M = typename Layout::Model;
  const std::size_t end = (chunk.size + quad - 1) / quad * quad;
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
