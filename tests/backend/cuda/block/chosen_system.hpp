// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A host on which blocks train with the product units, and the threads in the order, that a test asks for.

#include <cstddef>

#include "backend/generic/serial_system.hpp"
#include "retort/backend/cuda/block/kernel.hpp"
#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/team.hpp"
#include "retort/backend/cuda/block/train_blocks.hpp"
#include "retort/core/aligned_buffer.hpp"

namespace chosen {

/// Real inputs are always for scalar units.
template <retort::backend::block::ProductUnits units>
struct System : retort::system::Serial {
  using Options = retort::backend::block::ThreadOrder;

  explicit System(Options order = Options::ascending) : Serial({}), order(order) {}

  Options order;
  mutable std::size_t clusters = 0;  // that were run
};

template <typename Layout, retort::backend::block::ProductUnits units, std::size_t Moments, typename L, typename Rule,
          typename Scalar>
void train_block(const System<units>& system,
                 const retort::backend::block::TrainingJob<Scalar, Moments, L, Rule>& job) {
  namespace block = retort::backend::block;
  using Chosen = block::Layout<typename Layout::Model, Scalar, Layout::input_kind,
                               Layout::input_kind == block::InputKind::bytes ? units : block::ProductUnits::scalar>;
  block::HostTeam<Chosen::threads> team(system.order, retort::Seed{job.first_step});
  retort::AlignedBuffer<Scalar> memory(Chosen::size);
  if (job.batches(Chosen::samples) == block::Batches::single_chunks) {
    block::train<Chosen, block::Batches::single_chunks>(team, job, memory.data());
  } else {
    block::train<Chosen, block::Batches::any>(team, job, memory.data());
  }
}

/// The product units are those that the layout has.
template <typename Layout, retort::backend::block::ProductUnits units, std::size_t Moments, typename L, typename Rule,
          typename Scalar>
void train_cluster(const System<units>& system,
                   const retort::backend::block::TrainingJob<Scalar, Moments, L, Rule>& job) {
  namespace block = retort::backend::block;
  ++system.clusters;
  block::run_host_cluster<Layout, Scalar>(
      system.order, retort::Seed{job.first_step},
      [&job](auto& team, Scalar* memory) { block::train<Layout, block::Batches::single_chunks>(team, job, memory); });
}

}  // namespace chosen
