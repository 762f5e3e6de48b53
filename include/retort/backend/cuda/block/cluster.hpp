// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's training by a cluster of blocks, which read and write each other's memory (CUDA C++ Programming Guide,
/// "Thread Block Clusters"): how they share the first stage (docs/design.md, 23).

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Blocks that any device of compute capability 9.0 can run as a cluster.
inline constexpr std::size_t most_cluster_blocks = 8;

/// The largest number of blocks that can share a model's inputs in equal parts of whole words; 1 where none can.
template <StagedModel M>
inline constexpr std::size_t cluster_blocks = [] {
  for (std::size_t blocks = most_cluster_blocks; blocks > 1; --blocks) {
    if (TiledStage<M, 0>::in % (quad * blocks) == 0) {
      return blocks;
    }
  }
  return std::size_t{1};
}();

namespace detail {

/// The model with one block's part of its inputs.
template <typename M, std::size_t Blocks>
struct BlockModelOf;
template <std::size_t In, std::size_t Out, Bias bias, typename... Layers, std::size_t Blocks>
struct BlockModelOf<Sequential<Linear<In, Out, bias>, Layers...>, Blocks> {
  using type = Sequential<Linear<In / Blocks, Out, bias>, Layers...>;
};

template <StagedModel M>
using BlockModel = typename BlockModelOf<M, cluster_blocks<M>>::type;

template <StagedModel M, typename Scalar, InputKind kind>
using BlockLayout = Layout<BlockModel<M>, Scalar, kind, preferred_units<M, Scalar, kind>>;

}  // namespace detail

/// A block's memory: that of its model, then the blocks' parts of the sums of two chunks, (2, blocks, out, samples):
/// one chunk's parts are read while the next chunk's arrive.
template <StagedModel M, typename Scalar, InputKind kind>
struct ClusterLayout : detail::BlockLayout<M, Scalar, kind> {
  using Block = detail::BlockLayout<M, Scalar, kind>;
  using First = TiledStage<typename Block::Model, 0>;

  static constexpr std::size_t blocks = cluster_blocks<M>;
  static constexpr std::size_t features = TiledStage<M, 0>::in;
  static constexpr std::size_t sums_size = First::out * Block::stride;  // of one block, for one chunk
  static constexpr std::size_t sums_of_blocks = group_count(Block::size) * quad;
  static constexpr std::size_t size = sums_of_blocks + 2 * blocks * sums_size;
  static constexpr std::size_t bytes = size * sizeof(Scalar);

  /// Where the parameters after the first weight begin, in the model and in the block.
  static constexpr std::size_t others_in_model = internal::aligned_extent(First::out * features);
  static constexpr std::size_t others_in_block = Block::first_other_parameter;
  static_assert(First::weight == 0 &&
                M::parameter_arena_size - others_in_model == Block::Model::parameter_arena_size - others_in_block);

  RETORT_HOST_DEVICE static std::size_t model_place(std::size_t block, std::size_t place) {
    if (place < others_in_block) {
      return place / First::in * features + block * First::in + place % First::in;
    }
    return place - others_in_block + others_in_model;
  }
  RETORT_HOST_DEVICE static bool is_written_by(std::size_t block, std::size_t place) {
    return Block::is_parameter(place) && (place < others_in_block || block == 0);
  }
};

/// Whether a cluster can train the model with an optimizer of `Moments` moments, which each block keeps itself.
template <typename M, typename Scalar, InputKind kind, std::size_t Moments>
inline constexpr bool fits_cluster = false;
template <StagedModel M, typename Scalar, InputKind kind, std::size_t Moments>
  requires(cluster_blocks<M> > 1 && requires { typename detail::BlockLayout<M, Scalar, kind>; })  //
inline constexpr bool fits_cluster<M, Scalar, kind, Moments> =
    ClusterLayout<M, Scalar, kind>::bytes <= block_memory &&
    ClusterLayout<M, Scalar, kind>::template keeps_moments<Moments>;

/// Where a block's part of a chunk's sums is, in the memory of each block.
template <typename Layout>
RETORT_HOST_DEVICE std::size_t place_of_sums(const Chunk& chunk, std::size_t block) {
  return Layout::sums_of_blocks + (chunk.batch % 2 * Layout::blocks + block) * Layout::sums_size;
}

/// A phase after which each block has all parts of the first stage's sums, scaled and with the input offset. It
/// overwrites those of the chunk before the last, which every block has read before it sent the last chunk's.
template <typename Layout, typename Team, typename Scalar>
RETORT_HOST_DEVICE void exchange_sums(Team& team, const data::GatherConstants<Scalar>& constants, const Chunk& chunk,
                                      Scalar* memory) {
  using First = typename Layout::First;
  constexpr auto quads = static_cast<std::uint32_t>(Layout::samples / quad);  // of a feature
  constexpr auto stride = static_cast<std::uint32_t>(Layout::stride);
  constexpr auto neighbours = static_cast<std::uint32_t>(quad);
  constexpr auto blocks = static_cast<std::uint32_t>(Layout::blocks);
  constexpr bool of_bytes = Layout::input_kind == InputKind::bytes;
  const auto block = static_cast<std::uint32_t>(team.block());
  team.cluster([&](std::size_t thread) {
    for (auto item = static_cast<std::uint32_t>(thread); item < First::out * quads;
         item += static_cast<std::uint32_t>(Layout::threads)) {
      const std::uint32_t feature = item / quads;
      const std::uint32_t place = feature * stride + item % quads * neighbours;
      const Scalar* partial_sums = memory + Layout::partial_sums + place;
      Quad<Scalar> sums = load_quad(partial_sums);
      RETORT_UNROLL for (std::size_t slice = 1; slice < Layout::template forward_slices<0>; ++slice) {
        const Quad<Scalar> next = load_quad(partial_sums + slice * Layout::sums_size);
        RETORT_UNROLL for (std::size_t j = 0; j < quad; ++j) { sums.values[j] += next.values[j]; }
      }
      if (of_bytes) {
        const Scalar offset =
            Layout::has_row_sums && has_offset<Layout>(constants) ? memory[Layout::row_sums + feature] : Scalar{0};
        RETORT_UNROLL for (std::size_t j = 0; j < quad; ++j) {
          sums.values[j] = sums.values[j] * constants.scale + offset;
        }
      }
      Scalar* to = memory + place_of_sums<Layout>(chunk, block) + place;
      RETORT_UNROLL for (std::uint32_t i = 0; i < blocks; ++i) {
        // Each block begins with another one.
        store_quad(sums, team.in_block(block + i < blocks ? block + i : block + i - blocks, to));
      }
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
