// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Jobs of blocks on the host. Each block is a team whose threads take turns; jobs run one after another, the blocks of
/// a cluster at the same time.

#include <barrier>
#include <concepts>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "retort/backend/cuda/block/kernel.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// What the blocks of a cluster on the host share. Each block is a system thread with a HostTeam of its own. Throws
/// std::bad_alloc.
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

/// Calls function(team, memory) for each of Layout::blocks blocks, all at the same time. Rethrows what one of them
/// throws, once all have ended: the others go on without it.
template <typename Layout, typename Scalar, typename Function>
void run_host_cluster(ThreadOrder order, Seed seed, const Function& function) {
  HostCluster<Scalar> cluster(Layout::blocks, Layout::size);
  std::mutex mutex;
  std::exception_ptr error;
  const auto drop_out = [&](std::size_t blocks) {
    const std::lock_guard lock(mutex);
    if (!error) {
      error = std::current_exception();
    }
    for (std::size_t i = 0; i < blocks; ++i) {
      cluster.barrier.arrive_and_drop();
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(Layout::blocks);
    try {
      while (threads.size() < Layout::blocks) {
        threads.emplace_back([&, block = threads.size()] {
          try {
            HostClusterTeam<Layout::threads, Scalar> team(cluster, block, order, seed);
            function(team, cluster.memories[block].data());
          } catch (...) {
            drop_out(1);
          }
        });
      }
    } catch (...) {
      drop_out(Layout::blocks - threads.size());  // those that could not be started
    }
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

/// Takes the steps of a job. See train().
template <typename Layout, std::derived_from<system::HostSystem> System, std::size_t Moments, typename L, typename Rule,
          typename Scalar>
void train_block(const System& /*system*/, const TrainingJob<Scalar, Moments, L, Rule>& job) {
  HostTeam<Layout::threads> team;
  AlignedBuffer<Scalar> memory(Layout::size);
  if (job.batches(Layout::samples) == Batches::single_chunks) {
    train<Layout, Batches::single_chunks>(team, job, memory.data());
  } else {
    train<Layout, Batches::any>(team, job, memory.data());
  }
}

/// Takes the steps of a job whose batches are single chunks, by the blocks of a cluster.
template <typename Layout, std::derived_from<system::HostSystem> System, std::size_t Moments, typename L, typename Rule,
          typename Scalar>
void train_cluster(const System& /*system*/, const TrainingJob<Scalar, Moments, L, Rule>& job) {
  run_host_cluster<Layout, Scalar>(ThreadOrder::ascending, Seed{}, [&job](auto& team, Scalar* memory) {
    train<Layout, Batches::single_chunks>(team, job, memory);
  });
}

/// Takes the steps of `count` jobs.
template <typename Layout, typename Scalar, std::derived_from<system::HostSystem> System, typename Job>
void train_blocks(const System& system, const Job* jobs, std::size_t count, Batches /*batches*/) {
  for (std::size_t i = 0; i < count; ++i) {
    train_block<Layout>(system, jobs[i]);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
