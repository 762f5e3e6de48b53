// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The first stage on tensor cores: how its matrices are cut into fragments (fragments.hpp).
///
/// The order of a fragment's columns is free, and so is that of the depth if A and B have the same. It is chosen so
/// that a lane finds what it needs side by side: in the forward product a word of input and a quad of weights, in the
/// weights' gradient two neighbouring features of one output. Columns stand for outputs such that a tile of at most
/// four outputs leaves half of each lane's values unused, instead of all values of half of the lanes.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/fragments.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

template <typename Layout>
struct TensorStage {
  using S = TiledStage<typename Layout::Model, 0>;
  static_assert(S::weight == 0);  // the block's memory begins with it too

  static constexpr std::uint32_t in = S::in;
  static constexpr std::uint32_t out = S::out;
  static constexpr std::uint32_t stride = Layout::stride;
  static constexpr std::uint32_t slice_stride = Layout::template slice_stride<0>;
  static constexpr std::uint32_t pitch = Layout::word_pitch;
  static constexpr std::uint32_t feature_tiles = (in + fragment_depth - 1) / fragment_depth;
  static constexpr std::uint32_t sample_tiles = Layout::samples / fragment_rows;
  static constexpr std::uint32_t output_tiles = (out + fragment_columns - 1) / fragment_columns;
  static constexpr std::uint32_t output_quads = (out + fragment_members - 1) / fragment_members;
  static constexpr std::uint32_t tiles_at_once =
      output_tiles < output_tiles_at_once ? output_tiles : static_cast<std::uint32_t>(output_tiles_at_once);
};

/// The output that column `half` of a lane's two columns of C stands for: one in that half of a tile's outputs.
///
/// Which one keeps lanes that take their parts of several rows at once in different banks. Neighbouring columns, of
/// which eight lanes take quads of weights, stand for outputs two or six apart: 16 banks, where rows are padded. The
/// members of a group, of which a half warp takes pairs of weights, begin 8 banks apart. And the first four columns, of
/// which a half warp takes pairs of gradients, all stand for even outputs, the last four for odd ones.
RETORT_HOST_DEVICE inline std::uint32_t tile_output(std::uint32_t member, std::uint32_t half) {
  const std::uint32_t swapped = member % 2 * 2 + member / 2;
  return half == 0 ? swapped : fragment_members + (swapped + 2) % fragment_members;
}
/// The output that a column of B stands for.
RETORT_HOST_DEVICE inline std::uint32_t column_output(std::uint32_t column) {
  return tile_output(column / 2, column % 2);
}

/// Two neighbouring weights of one output that belong to one thread. `index`: the first one's number among the thread's
/// weights; `place`: its place in the parameters; `element`: in the block's memory; `count`: how many of the two exist.
struct WeightPair {
  std::uint32_t index;
  std::uint32_t place;
  std::uint32_t element;
  std::uint32_t count;
};

/// A lane's pair in a tile of features, which is tile `slot` of its warp, and in a quad of outputs.
template <typename Layout>
RETORT_HOST_DEVICE WeightPair weight_pair(std::uint32_t lane, std::uint32_t slot, std::uint32_t feature_tile,
                                          std::uint32_t output_quad) {
  using T = TensorStage<Layout>;
  const std::uint32_t output = fragment_columns * (output_quad / 2) + tile_output(lane_member(lane), output_quad % 2);
  const std::uint32_t feature = fragment_rows * feature_tile + 2 * lane_group(lane);
  WeightPair result;
  result.index = 2 * (slot * T::output_quads + output_quad);
  result.place = output * T::in + feature;
  result.element = output * static_cast<std::uint32_t>(Layout::weight_stride) + feature;
  // A condition that holds for all tiles is not tested.
  const bool inside = (T::feature_tiles % Layout::fragment_warps == 0 || feature_tile < T::feature_tiles) &&
                      (T::out % fragment_members == 0 ? output_quad < T::output_quads : output < T::out) &&
                      (T::in % fragment_rows == 0 || feature < T::in);
  result.count = !inside ? 0 : T::in % 2 == 0 || feature + 1 < T::in ? 2 : 1;
  return result;
}

/// Calls function(pair) for all weights of the first stage that a thread has.
template <typename Layout, typename Function>
RETORT_HOST_DEVICE void for_each_pair(std::size_t thread, const Function& function) {
  if constexpr (Layout::on_tensor_cores) {
    using T = TensorStage<Layout>;
    const auto warp = static_cast<std::uint32_t>(thread / team_lanes);
    if (warp >= Layout::fragment_warps) {
      return;
    }
    RETORT_UNROLL for (std::uint32_t slot = 0; slot < Layout::fragment_slots; ++slot) {
      RETORT_UNROLL for (std::uint32_t output_quad = 0; output_quad < T::output_quads; ++output_quad) {
        const WeightPair pair =
            weight_pair<Layout>(static_cast<std::uint32_t>(thread % team_lanes), slot,
                                slot * static_cast<std::uint32_t>(Layout::fragment_warps) + warp, output_quad);
        if (pair.count > 0) {
          function(pair);
        }
      }
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
