// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The threads of one block, in lock step. A kernel is written as phases over a team,
///
///     team([&](std::size_t thread) { ... });
///
/// each of which is carried out for every thread, and begins when the one before has ended for all. On a GPU a phase is
/// the thread's own call and a barrier (device/team.hpp); here it is a loop, in any order (docs/design.md, 20).
///
/// - `Team::threads`: how many there are, a multiple of team_lanes
/// - `Team::PerThread<T>`: a T for each thread, values[thread]; on a GPU in the thread's registers
/// - `team.copy(thread, to, from)`: a word, or a Quad of them, from global memory to the block's; it is there in the
///   next phase after one in which the same thread called `team.await_copies(thread)`
/// - `Team::RowLanes(number)`: that one of the neighbouring threads that can compute a row of a loss together
///   (loss/row_lanes.hpp)
///
/// Blocks of a cluster (cluster.hpp) each run the same phases on a team of their own:
///
/// - `team.block()`: which of the blocks it is
/// - `team.in_block(other, place)`: the same place in the memory of another block
/// - `team.cluster(phase)`: a phase after which all blocks see what any of them wrote before
///
/// A phase over warps does what the threads of a warp do together, as on tensor cores:
///
///     team.warps([&](const auto& warp) { ... });
///
/// - `warp.index()`: its number; its threads are team_lanes * index() + lane
/// - `Warp::PerLane<T>`: a T for each lane, values[lane]; on a GPU in the lane's registers
/// - `warp.for_each_lane([&](std::uint32_t lane) { ... })`; another lane may read what one lane wrote to memory after
///   `warp.sync()`, lanes of other warps in the next phase
/// - `warp.from_other(values, lane, distance, part)`: the float part(values[lane ^ distance]). All lanes call it, in
///   one for_each_lane; `values` were written in an earlier one
/// - `warp.multiply_add(c, a, b)`: see fragments.hpp; PerLane<FragmentC>, PerLane<FragmentA>, PerLane<FragmentB>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "retort/backend/cuda/block/fragments.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/row_lanes.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Threads that run together: a warp.
inline constexpr std::size_t team_lanes = 32;
inline constexpr auto lane_count = static_cast<std::uint32_t>(team_lanes);

/// The order of a HostTeam's threads.
enum class ThreadOrder {
  ascending,
  shuffled,  ///< anew in each phase
};

/// One warp of a HostTeam. Its lanes take turns.
class HostWarp {
 public:
  template <typename T>
  class PerLane {
   public:
    T& operator[](std::uint32_t lane) { return values_[lane]; }
    const T& operator[](std::uint32_t lane) const { return values_[lane]; }

   private:
    T values_[team_lanes]{};
  };

  /// `first_lane`: the one that takes its turn first.
  HostWarp(std::uint32_t index, std::uint32_t first_lane) : index_(index), first_lane_(first_lane) {}

  std::uint32_t index() const { return index_; }

  template <typename Function>
  void for_each_lane(const Function& function) const {
    for (std::uint32_t i = 0; i < team_lanes; ++i) {
      function(static_cast<std::uint32_t>((first_lane_ + i) % team_lanes));
    }
  }

  void sync() const {}  // for_each_lane ends for all

  template <typename T, typename Part>
  float from_other(const PerLane<T>& values, std::uint32_t lane, std::uint32_t distance, const Part& part) const {
    return part(values[lane ^ distance]);
  }

  void multiply_add(PerLane<FragmentC>& c, const PerLane<FragmentA>& a, const PerLane<FragmentB>& b) const {
    multiply_add_fragments(c, a, b);
  }

 private:
  std::uint32_t index_;
  std::uint32_t first_lane_;
};

template <std::size_t Threads>
class HostTeam {
  static_assert(Threads > 0 && Threads % team_lanes == 0);

 public:
  static constexpr std::size_t threads = Threads;

  template <typename T>
  class PerThread {
   public:
    T& operator[](std::size_t thread) { return values_[thread]; }

   private:
    std::vector<T> values_ = std::vector<T>(Threads);
  };

  using RowLanes = WholeRow;  // a thread after the other, so none can wait for its neighbour

  explicit HostTeam(ThreadOrder order = ThreadOrder::ascending, Seed seed = {})
      : order_(order), seed_(seed), copies_(Threads) {}

  std::size_t block() const { return 0; }

  template <typename Phase>
  void operator()(const Phase& phase) {
    const RandomPermutation permutation(Threads, {seed_, Stream::shuffle, phase_++});
    for (std::uint32_t i = 0; i < Threads; ++i) {
      phase(order_ == ThreadOrder::shuffled ? permutation(i) : i);
    }
  }

  template <typename Phase>
  void warps(const Phase& phase) {
    const RandomPermutation permutation(Threads / team_lanes, {seed_, Stream::shuffle, phase_++});
    for (std::uint32_t i = 0; i < Threads / team_lanes; ++i) {
      const bool shuffled = order_ == ThreadOrder::shuffled;
      phase(HostWarp(shuffled ? permutation(i) : i, shuffled ? phase_ % team_lanes : 0));
    }
  }

  /// Copies nothing before await_copies: a read that comes too early finds the old word.
  void copy(std::size_t thread, std::uint32_t* to, const std::uint32_t* from) {
    copies_[thread].emplace_back(to, from);
  }
  void copy(std::size_t thread, Quad<std::uint32_t>* to, const Quad<std::uint32_t>* from) {
    for (std::size_t i = 0; i < quad; ++i) {
      copy(thread, to->values + i, from->values + i);
    }
  }
  void await_copies(std::size_t thread) {
    for (const auto& [to, from] : copies_[thread]) {
      std::memcpy(to, from, sizeof(*to));  // words of values that may have another type
    }
    copies_[thread].clear();
  }

 private:
  ThreadOrder order_;
  Seed seed_;
  std::uint32_t phase_ = 0;
  std::vector<std::vector<std::pair<std::uint32_t*, const std::uint32_t*>>> copies_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
