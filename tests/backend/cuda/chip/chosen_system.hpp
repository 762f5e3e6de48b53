// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A host on which blocks train with the product units and the order of threads that a test asks for.

#include <cstddef>

#include "backend/generic/serial_system.hpp"
#include "retort/backend/cuda/chip/host_cluster.hpp"
#include "retort/backend/cuda/chip/layout.hpp"
#include "retort/backend/cuda/chip/team.hpp"
#include "retort/backend/cuda/chip/training.hpp"
#include "retort/core/aligned_buffer.hpp"

namespace chosen {

/// Real inputs are always for scalar units.
template <retort::backend::chip::ProductUnits units, retort::backend::chip::ThreadOrder order>
struct System : retort::system::Serial {
  using Serial::Serial;
  mutable std::size_t clusters = 0;  // that were run
};

template <typename Layout, retort::backend::chip::ProductUnits units, retort::backend::chip::ThreadOrder order,
          std::size_t Moments, typename L, typename Rule, typename Scalar>
void train_block(const System<units, order>& /*system*/,
                 const retort::backend::chip::TrainingJob<Scalar, Moments, L, Rule>& job) {
  namespace chip = retort::backend::chip;
  using Chosen = chip::Layout<typename Layout::Model, Scalar, Layout::input_kind,
                              Layout::input_kind == chip::InputKind::bytes ? units : chip::ProductUnits::scalar>;
  chip::HostTeam<Chosen::threads> team(order, retort::Seed{job.first_step});
  retort::AlignedBuffer<Scalar> memory(Chosen::size);
  if (job.batches(Chosen::samples) == chip::Batches::single_chunks) {
    chip::train<Chosen, chip::Batches::single_chunks>(team, job, memory.data());
  } else {
    chip::train<Chosen, chip::Batches::any>(team, job, memory.data());
  }
}

/// The product units are those that the layout has.
template <typename Layout, retort::backend::chip::ProductUnits units, retort::backend::chip::ThreadOrder order,
          std::size_t Moments, typename L, typename Rule, typename Scalar>
void train_cluster(const System<units, order>& system,
                   const retort::backend::chip::TrainingJob<Scalar, Moments, L, Rule>& job) {
  namespace chip = retort::backend::chip;
  ++system.clusters;
  chip::run_host_cluster<Layout, Scalar>(order, retort::Seed{job.first_step}, [&job](auto& team, Scalar* memory) {
    chip::train<Layout, chip::Batches::single_chunks>(team, job, memory);
  });
}

}  // namespace chosen
