// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Jobs of blocks on the host: one after another, each by a team whose threads take turns; those of a cluster at the
/// same time.

#include <concepts>
#include <cstddef>

#include "retort/backend/cuda/block/host_cluster.hpp"
#include "retort/backend/cuda/block/kernel.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

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
