// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A matrix (features, samples) in groups of four, for the layers after a Linear.

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

/// An element of a matrix (features, samples).
struct Place {
  std::uint32_t feature;
  std::uint32_t sample;
};

/// Four elements of each of `Width` neighbouring samples. `numbers`: the groups' own, as a Chain counts them through
/// the batch, a sample each. `places`: in the first sample; only the first `count` are elements.
template <std::size_t Width>
struct Group {
  static constexpr std::size_t width = Width;
  std::uint64_t numbers[Width];
  Place places[quad];
  std::uint32_t count;
};

/// Values of a group, and what loads and stores those at place i, which lie side by side.
template <typename Scalar, std::size_t Width>
struct GroupValues {
  Scalar values[Width][quad]{};

  RETORT_HOST_DEVICE void load(std::size_t i, const Scalar* from) {
    if constexpr (Width == 2) {
      const Pair<Scalar> pair = load_pair(from);
      values[0][i] = pair.values[0];
      values[1][i] = pair.values[1];
    } else {
      values[0][i] = *from;
    }
  }
  RETORT_HOST_DEVICE void store(std::size_t i, Scalar* to) const {
    if constexpr (Width == 2) {
      store_pair(Pair<Scalar>{{values[0][i], values[1][i]}}, to);
    } else {
      *to = values[0][i];
    }
  }
};

/// Samples of a Group of neighbouring features. What all samples share is read for two at once, where registers allow
/// it.
template <typename Layout>
inline constexpr std::size_t group_width = Layout::on_tensor_cores ? 2 : 1;

/// Calls function(group) for this thread's Groups of a chunk, which cover all elements. `counted`: the four are
/// neighbours as a Chain counts them through the batch. Wherever that allows it a Group is four features of
/// `group_width` samples, and the lanes of a warp have neighbouring samples, which lie in different banks. Then a chunk
/// of an odd size may have one sample more: its elements are numbers, too.
template <typename Layout, std::size_t Features, bool counted, typename Function>
RETORT_HOST_DEVICE void for_each_group(std::size_t thread, const Chunk& chunk, const Function& function) {
  constexpr std::uint32_t features = Features;
  constexpr std::uint32_t neighbours = quad;
  constexpr auto threads = static_cast<std::uint32_t>(Layout::threads);
  // Chunks begin at a multiple of four samples of their batch, so that groups lie within a chunk.
  const std::uint64_t first_group = std::uint64_t{chunk.first - chunk.batch_first} * Features / internal::chain_group;
  if constexpr (features % neighbours == 0 || !counted) {
    constexpr auto groups = static_cast<std::uint32_t>(group_count(Features));  // of a sample
    constexpr auto width = static_cast<std::uint32_t>(group_width<Layout>);
    constexpr auto columns = static_cast<std::uint32_t>(Layout::samples) / width;
    for (auto item = static_cast<std::uint32_t>(thread); item < groups * columns; item += threads) {
      const std::uint32_t sample = item % columns * width;
      const std::uint32_t first = item / columns * neighbours;
      if (sample < chunk.size) {
        Group<width> group;
        RETORT_UNROLL for (std::uint32_t j = 0; j < width; ++j) {
          group.numbers[j] = first_group + (sample + j) * groups + item / columns;
        }
        RETORT_UNROLL for (std::uint32_t i = 0; i < neighbours; ++i) { group.places[i] = {first + i, sample}; }
        const std::uint32_t rest = features - first;
        group.count = features % neighbours == 0 || rest > neighbours ? neighbours : rest;
        function(group);
      }
    }
  } else {
    const std::uint32_t elements = chunk.size * features;
    for (auto item = static_cast<std::uint32_t>(thread); item * neighbours < elements; item += threads) {
      Group<1> group;
      group.numbers[0] = first_group + item;
      RETORT_UNROLL for (std::uint32_t i = 0; i < neighbours; ++i) {
        group.places[i].sample = (item * neighbours + i) / features;
        group.places[i].feature = (item * neighbours + i) % features;
      }
      const std::uint32_t rest = elements - item * neighbours;
      group.count = rest > neighbours ? neighbours : rest;
      function(group);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
