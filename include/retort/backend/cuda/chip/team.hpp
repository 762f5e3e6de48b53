#pragma once
/// @file
/// The threads of one block, in lock step. A kernel is written as phases over a team,
///
///     team([&](std::size_t thread) { ... });
///
/// each of which is carried out for every thread, and begins when the one before has ended for all. On a GPU a phase is
/// the thread's own call and a barrier (device/team.hpp); here it is a loop. So the same source runs on the host under
/// a debugger and the sanitizers, and a phase in which one thread reads what another writes shows: its result depends
/// on the order of the threads.
///
/// - `Team::threads`: their number, a multiple of team_lanes
/// - `Team::PerThread<T>`: a T for each thread, values[thread]; on a GPU in the thread's registers
/// - `team.copy(thread, to, from)`: a word from global memory to the block's; it is there in the next phase after one
/// in which
///   the same thread called `team.await_copies(thread)`

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"

namespace retort::backend::chip {

/// Threads that run together: a warp.
inline constexpr std::size_t team_lanes = 32;

/// The order of a HostTeam's threads.
enum class ThreadOrder {
  ascending,
  shuffled,  ///< anew in each phase
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

  explicit HostTeam(ThreadOrder order = ThreadOrder::ascending, Seed seed = {})
      : order_(order), seed_(seed), copies_(Threads) {}

  template <typename Phase>
  void operator()(const Phase& phase) {
    const RandomPermutation permutation(Threads, {seed_, Stream::shuffle, phase_++});
    for (std::uint32_t i = 0; i < Threads; ++i) {
      phase(order_ == ThreadOrder::shuffled ? permutation(i) : i);
    }
  }

  /// Nothing is copied before await_copies: who reads too early reads the old word.
  void copy(std::size_t thread, std::uint32_t* to, const std::uint32_t* from) {
    copies_[thread].emplace_back(to, from);
  }
  void await_copies(std::size_t thread) {
    for (const auto& [to, from] : copies_[thread]) {
      *to = *from;
    }
    copies_[thread].clear();
  }

 private:
  ThreadOrder order_;
  Seed seed_;
  std::uint32_t phase_ = 0;
  std::vector<std::vector<std::pair<std::uint32_t*, const std::uint32_t*>>> copies_;
};

}  // namespace retort::backend::chip
