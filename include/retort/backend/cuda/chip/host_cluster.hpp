// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A cluster of blocks on the host: each is a thread of the system's with a HostTeam of its own.

#include <barrier>
#include <cstddef>
#include <thread>
#include <vector>

#include "retort/backend/cuda/chip/team.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::chip {

/// What the blocks share. Throws std::bad_alloc.
template <typename Scalar>
struct HostCluster {
  /// `size`: elements of a block's memory.
  HostCluster(std::size_t blocks, std::size_t size)
      : memories(blocks, AlignedBuffer<Scalar>(size)), barrier(static_cast<std::ptrdiff_t>(blocks)) {}

  std::vector<AlignedBuffer<Scalar>> memories;
  std::barrier<> barrier;
};

/// The team of one of the blocks.
template <std::size_t Threads, typename Scalar>
class HostClusterTeam : public HostTeam<Threads> {
 public:
  HostClusterTeam(HostCluster<Scalar>& cluster, std::size_t block, ThreadOrder order, Seed seed)
      : HostTeam<Threads>(order, seed), cluster_(cluster), block_(block) {}

  std::size_t block() const { return block_; }

  Scalar* in_block(std::size_t other, Scalar* place) const {
    return cluster_.memories[other].data() + (place - cluster_.memories[block_].data());
  }

  template <typename Phase>
  void cluster(const Phase& phase) {
    (*this)(phase);
    cluster_.barrier.arrive_and_wait();
  }

 private:
  HostCluster<Scalar>& cluster_;
  std::size_t block_;
};

/// Calls function(team, memory) for each of Layout::blocks blocks, all at the same time.
template <typename Layout, typename Scalar, typename Function>
void run_host_cluster(ThreadOrder order, Seed seed, const Function& function) {
  HostCluster<Scalar> cluster(Layout::blocks, Layout::size);
  std::vector<std::jthread> threads;
  threads.reserve(Layout::blocks);
  for (std::size_t block = 0; block < Layout::blocks; ++block) {
    threads.emplace_back([&cluster, &function, order, seed, block] {
      HostClusterTeam<Layout::threads, Scalar> team(cluster, block, order, seed);
      function(team, cluster.memories[block].data());
    });
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::chip
