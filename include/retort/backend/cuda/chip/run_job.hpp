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
void run_job(const System& /*system*/, const TrainingJob<Scalar, Moments, L, Rule>& job) {
  HostTeam<Layout::threads> team;
  AlignedBuffer<Scalar> memory(Layout::size);
  train<Layout>(team, job, memory.data());
}

}  // namespace retort::backend::chip
