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

/// Calls function(group, places, count) for this thread's groups of a chunk, which cover all elements; the first
/// `count` of the four places are elements. `counted`: a group is four neighbours as a Chain counts them through the
/// batch, and `group` is its number. Wherever that allows it the four are features of one sample, and the lanes of a
/// warp have neighbouring samples, which lie in different banks.
template <typename Layout, std::size_t Features, bool counted, typename Function>
RETORT_HOST_DEVICE void for_each_group(std::size_t thread, const Chunk& chunk, const Function& function) {
  constexpr std::uint32_t features = Features;
  constexpr std::uint32_t neighbours = quad;
  constexpr auto threads = static_cast<std::uint32_t>(Layout::threads);
  // Chunks begin at a multiple of four samples of their batch, so that groups lie within a chunk.
  const std::uint64_t first_group = std::uint64_t{chunk.first - chunk.batch_first} * Features / internal::chain_group;
  Place places[quad];
  if constexpr (features % neighbours == 0 || !counted) {
    constexpr auto groups = static_cast<std::uint32_t>(group_count(Features));  // of a sample
    constexpr auto samples = static_cast<std::uint32_t>(Layout::samples);
    for (auto item = static_cast<std::uint32_t>(thread); item < groups * samples; item += threads) {
      const std::uint32_t sample = item % samples;
      const std::uint32_t first = item / samples * neighbours;
      if (sample < chunk.size) {
        RETORT_UNROLL for (std::uint32_t i = 0; i < neighbours; ++i) { places[i] = {first + i, sample}; }
        const std::uint32_t rest = features - first;
        function(first_group + sample * groups + item / samples, places,
                 features % neighbours == 0 || rest > neighbours ? neighbours : rest);
      }
    }
  } else {
    const std::uint32_t elements = chunk.size * features;
    for (auto group = static_cast<std::uint32_t>(thread); group * neighbours < elements; group += threads) {
      RETORT_UNROLL for (std::uint32_t i = 0; i < neighbours; ++i) {
        places[i].sample = (group * neighbours + i) / features;
        places[i].feature = (group * neighbours + i) % features;
      }
      const std::uint32_t rest = elements - group * neighbours;
      function(first_group + group, places, rest > neighbours ? neighbours : rest);
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
