// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the blocks of a cluster send each other: their parts of the first stage's sums.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/cluster.hpp"
#include "retort/backend/cuda/block/input_offset.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Where a block's part of a chunk's sums is, in the memory of each block.
template <typename Layout>
RETORT_HOST_DEVICE std::size_t place_of_sums(const Chunk& chunk, std::size_t block) {
  return Layout::sums_of_blocks + (chunk.batch % 2 * Layout::blocks + block) * Layout::sums_size;
}

/// A phase behind which each block has all parts of the first stage's sums, each scaled and with the input offset. What
/// is overwritten is of the chunk before the last, which all blocks have read before they sent the last one's.
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
        const Scalar offset = has_offset<Layout>(constants) ? memory[Layout::row_sums + feature] : Scalar{0};
        RETORT_UNROLL for (std::size_t j = 0; j < quad; ++j) {
          sums.values[j] = sums.values[j] * constants.scale + offset;
        }
      }
      Scalar* to = memory + place_of_sums<Layout>(chunk, block) + place;
      RETORT_UNROLL for (std::uint32_t i = 0; i < blocks; ++i) {
        // Each begins with another one.
        store_quad(sums, team.in_block(block + i < blocks ? block + i : block + i - blocks, to));
      }
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
