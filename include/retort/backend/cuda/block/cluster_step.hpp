// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A training step by a cluster of blocks.

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/block/cluster_exchange.hpp"
#include "retort/backend/cuda/block/cluster_samples.hpp"
#include "retort/backend/cuda/block/forward_backward.hpp"
#include "retort/backend/cuda/block/gather.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/update.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// A step on a batch that is a single chunk, by all blocks of a cluster together. `updater_of(thread)` is the thread's
/// Updater; `fetch(fetcher)` is a thread's part of what is fetched meanwhile. `is_last`: no step follows, so no block
/// needs the parameters that others have updated.
template <typename Layout, typename Team, std::size_t Moments, typename L, typename Rule, typename Scalar,
          typename UpdaterOf, typename Fetch>
RETORT_HOST_DEVICE void take_step_of_cluster(Team& team, const TrainingJob<Scalar, Moments, L, Rule>& job,
                                             const Rule& rule, const LayerRandom& random, const Chunk& chunk,
                                             bool is_last, const Scalar* targets, const Scalar* inputs, Scalar* memory,
                                             const UpdaterOf& updater_of, const Fetch& fetch) {
  wide_forward_product<Layout, 0>(team, job.training.constants, memory, inputs);
  send_sums<Layout>(team, job.training.constants, memory);
  const Chunk own = Layout::own_part(chunk, team.block());
  team.warps([&](const auto& warp) {
    take_own_samples<Layout>(team, warp, job, random, own, targets, memory);
    constexpr std::size_t first = first_free_warp<Layout>;
    if (warp.index() + 1 > first) {  // compilers warn of index() >= first where first is 0
      warp.for_each_lane([&](std::uint32_t lane) {
        fetch(Fetcher<Team, first * team_lanes>{team, warp.index() * team_lanes + lane});
      });
    }
  });
  send_gradients<Layout>(team, memory);
  update<Layout>(team, job, chunk, memory, inputs, updater_of,
                 [&](std::size_t thread) { update_share<Layout, Moments>(team, thread, rule, !is_last, memory); });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
