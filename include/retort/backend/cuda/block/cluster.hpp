// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's training by a cluster of blocks, which read and write each other's memory (CUDA C++ Programming Guide,
/// "Thread Block Clusters"): what each block holds (docs/design.md, 23).

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/ownership.hpp"
#include "retort/backend/cuda/block/stages.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
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

/// From a sample's features to the next sample's, in rows of whole quads.
constexpr std::size_t row_elements(const StageSizes& stage) { return group_count(stage.out) * quad; }

/// Elements of the rows of the stages before `index`: sums, and outputs where they are kept.
template <StagedModel M>
constexpr std::size_t rows_before(std::size_t index, std::size_t samples) {
  return sum_before<M>(index, [&](const StageSizes& stage, std::size_t) {
    return samples * row_elements(stage) * (stage.keeps_outputs ? 2 : 1);
  });
}

/// What send_gradients() has to do for a weight: squares of two outputs by two inputs.
constexpr std::size_t weight_items(const StageSizes& stage) {
  return divided_up(stage.out, 2) * divided_up(stage.in, 2);
}

/// Where a stage's items begin: first those of all weights after the first, then those of all biases. A weight's have
/// whole warps, which do the same.
template <StagedModel M>
constexpr std::size_t weight_items_before(std::size_t index) {
  return sum_before<M>(index, [](const StageSizes& stage, std::size_t i) {
    return i == 0 ? 0 : divided_up(weight_items(stage), team_lanes) * team_lanes;
  });
}
template <StagedModel M>
constexpr std::size_t bias_items_before(std::size_t index) {
  return weight_items_before<M>(stage_count<M>) +
         sum_before<M>(index, [](const StageSizes& stage, std::size_t) { return stage.biases; });
}

}  // namespace detail

/// Neighbouring samples that a warp takes through the stages at once (cluster_samples.hpp): it reads each weight once.
inline constexpr std::size_t samples_at_once = 2;

/// A block's memory: that of its model, and what the blocks of a cluster share. The first weight is shared by features.
/// What follows it is shared by samples: each block has neighbouring samples of a chunk. All blocks have the parameters
/// after the first weight, but each of those belongs to one block, which updates it, and is in that block's share.
template <StagedModel M, typename Scalar, InputKind kind>
struct ClusterLayout : detail::BlockLayout<M, Scalar, kind> {
  using Block = detail::BlockLayout<M, Scalar, kind>;
  using Model = typename Block::Model;
  using First = TiledStage<Model, 0>;

  static constexpr std::size_t blocks = cluster_blocks<M>;
  static constexpr std::size_t features = TiledStage<M, 0>::in;

  /// The samples of a block. Those after the chunk's last one are not there; their gradients are zeros.
  static constexpr std::size_t own_samples =
      samples_at_once * detail::divided_up(Block::samples, samples_at_once* blocks);
  /// The blocks' parts of the first stage's sums of these samples, (blocks, out, own samples). A pair of samples of
  /// neighbouring features lies in different banks. They begin where one block alone has its moments.
  static constexpr std::size_t own_stride = own_samples % quad == 0 ? own_samples + samples_at_once : own_samples;
  static constexpr std::size_t sums_of_blocks = group_count(Block::moments) * quad;

  /// Rows of features, (own samples, row). Of each stage its sums, in the backward pass their gradients; then the
  /// outputs of its pointwise layers.
  template <std::size_t Index>
  static constexpr std::size_t row = detail::row_elements(stage_sizes<Model>[Index]);
  static constexpr std::size_t rows = group_count(sums_of_blocks + blocks * First::out * own_stride) * quad;
  template <std::size_t Index>
  static constexpr std::size_t own_sums = rows + detail::rows_before<Model>(Index, own_samples);
  template <std::size_t Index>
  static constexpr std::size_t own_outputs =
      own_sums<Index> + (TiledStage<Model, Index>::keeps_outputs ? own_samples * row<Index> : 0);

  /// The parameters of a block's share, which are neighbours; the blocks' parts of their gradients, (blocks, share);
  /// and their moments, (moments, share): as many as there is room for.
  static constexpr std::size_t share =
      std::max<std::size_t>(group_count(detail::divided_up(Block::other_parameters, blocks)), 1) * quad;
  static constexpr std::size_t gradients_of_blocks = rows + detail::rows_before<Model>(stage_count<Model>, own_samples);
  template <std::size_t Index>
  static constexpr std::size_t weight_items = detail::weight_items(stage_sizes<Model>[Index]);
  template <std::size_t Index>
  static constexpr std::size_t first_weight_item = detail::weight_items_before<Model>(Index);
  template <std::size_t Index>
  static constexpr std::size_t first_bias_item = detail::bias_items_before<Model>(Index);
  static constexpr std::size_t gradient_items = detail::bias_items_before<Model>(stage_count<Model>);
  static constexpr std::size_t share_moments = gradients_of_blocks + blocks * share;
  static constexpr std::size_t most_moments = 4;  // those of any known optimizer; more would only cost room
  static constexpr std::size_t room_for_moments = [] {
    constexpr std::size_t room = block_memory / sizeof(Scalar);
    return room < share_moments ? 0 : std::min((room - share_moments) / share, most_moments);
  }();
  static constexpr std::size_t size = share_moments + room_for_moments * share;
  static constexpr std::size_t bytes = size * sizeof(Scalar);

  /// Threads have weights of the first stage alone.
  template <std::size_t Index>
  static constexpr std::size_t weight_tiles = Index == 0 ? Block::template weight_tiles<0> : 0;
  static constexpr std::size_t slots = detail::divided_up(weight_tiles<0>, Block::threads);
  static constexpr std::size_t bias_slots = 0;
  static constexpr std::size_t tile_size = Block::template out_tile<0> * quad;
  static constexpr std::size_t weights_per_thread =
      Block::on_tensor_cores ? Block::weights_per_thread : slots * tile_size;
  template <std::size_t Moments>
  static constexpr bool moments_in_registers =
      Moments * weights_per_thread * (sizeof(Scalar) / sizeof(float)) <= detail::moment_registers(Block::units);
  template <std::size_t Moments>
  static constexpr bool moments_in_memory = false;
  template <std::size_t Moments>
  static constexpr bool keeps_moments = moments_in_registers<Moments> && Moments <= room_for_moments;

  /// Where the parameters after the first weight begin, in the model and in the block.
  static constexpr std::size_t others_in_model = internal::aligned_extent(First::out * features);
  static constexpr std::size_t others_in_block = Block::first_other_parameter;
  static_assert(First::weight == 0 &&
                M::parameter_arena_size - others_in_model == Model::parameter_arena_size - others_in_block);

  RETORT_HOST_DEVICE static std::size_t model_place(std::size_t block, std::size_t place) {
    if (place < others_in_block) {
      return place / First::in * features + block * First::in + place % First::in;
    }
    return place - others_in_block + others_in_model;
  }
  RETORT_HOST_DEVICE static bool is_written_by(std::size_t block, std::size_t place) {
    return Block::is_parameter(place) && (place < others_in_block || (place - others_in_block) / share == block);
  }

  /// The samples of a chunk that a block has.
  RETORT_HOST_DEVICE static Chunk own_part(const Chunk& chunk, std::size_t block) {
    constexpr auto most = static_cast<std::uint32_t>(own_samples);
    const std::uint32_t first = static_cast<std::uint32_t>(block) * most;
    const std::uint32_t rest = chunk.size > first ? chunk.size - first : 0;
    return {chunk.first + first, rest < most ? rest : most, chunk.batch_first, chunk.batch_size, chunk.batch};
  }
};

/// Whether a cluster can train the model with an optimizer of `Moments` moments.
template <typename M, typename Scalar, InputKind kind, std::size_t Moments>
inline constexpr bool fits_cluster = false;
template <StagedModel M, typename Scalar, InputKind kind, std::size_t Moments>
  requires(cluster_blocks<M> > 1 && requires { typename detail::BlockLayout<M, Scalar, kind>; })  //
inline constexpr bool fits_cluster<M, Scalar, kind, Moments> =
    ClusterLayout<M, Scalar, kind>::bytes <= block_memory &&
    ClusterLayout<M, Scalar, kind>::template keeps_moments<Moments>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
