#pragma once
/// @file
/// Random permutations: the order of an epoch's samples, and the split of a dataset.

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "retort/core/philox.hpp"

namespace retort {

/// Fills `order` with a uniformly random permutation of 0 ... order.size() - 1 (Fisher and Yates).
/// The same stream gives the same permutation everywhere. Precondition: order.size() <= 2^32 - 1.
inline void random_permutation(std::span<std::uint32_t> order, RandomStream stream) {
  std::iota(order.begin(), order.end(), 0u);
  RandomSequence random{stream};
  for (std::size_t remaining = order.size(); remaining > 1; --remaining) {
    std::swap(order[remaining - 1], order[random.below(static_cast<std::uint32_t>(remaining))]);
  }
}

}  // namespace retort
