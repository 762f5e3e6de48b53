#pragma once
/// @file
/// Jobs of blocks on the host: one after another, each by a team whose threads take turns.

#include <concepts>
#include <cstddef>

#include "retort/backend/cuda/chip/team.hpp"
#include "retort/backend/cuda/chip/training.hpp"
#include "retort/backend/thrust/host_system.hpp"
#include "retort/core/aligned_buffer.hpp"

namespace retort::backend::chip {

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

/// Takes the steps of `count` jobs.
template <typename Layout, typename Scalar, std::derived_from<system::HostSystem> System, typename Job>
void train_blocks(const System& system, const Job* jobs, std::size_t count, Batches /*batches*/) {
  for (std::size_t i = 0; i < count; ++i) {
    train_block<Layout>(system, jobs[i]);
  }
}

}  // namespace retort::backend::chip
