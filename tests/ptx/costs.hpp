// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the work between two barriers costs a block, by a model.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace retort::test::ptx {

/// A block's work up to a barrier.
struct Interval {
  std::uint64_t busiest = 0;  // instructions of the warp that has most
  std::uint64_t instructions = 0;
  std::uint64_t products = 0;     // mma
  std::uint64_t wavefronts = 0;   // of its shared memory
  std::uint64_t fewest = 0;       // without bank conflicts
  std::uint64_t bytes_sent = 0;   // to other blocks of the cluster
  bool ends_for_cluster = false;  // by a barrier of the cluster

  /// Cycles of a GPU. The factors fit what an earlier, hand-counted estimate said of the student's phases.
  double cycles() const;
};

Interval sum(std::span<const Interval> intervals);

/// The wavefronts that an access to shared memory takes, where `offsets` are the lanes' and each has so many bytes: 32
/// banks of four bytes serve a warp at once, half a warp of eight bytes each, a quarter of sixteen.
struct Wavefronts {
  std::uint64_t taken = 0;
  std::uint64_t fewest = 0;
};
Wavefronts wavefronts(std::span<const std::uint32_t> offsets, std::span<const std::uint32_t> lanes, std::size_t bytes);

/// Rows of a table in Markdown, one for each interval, named in order; the last one is the sum.
std::string cost_table(std::span<const Interval> intervals, std::span<const std::string> names);

}  // namespace retort::test::ptx
