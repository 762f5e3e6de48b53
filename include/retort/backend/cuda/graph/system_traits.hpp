// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What GraphSteps leaves to the system: how to multiply, and how to run a step's kernels.

#include "retort/backend/cuda/graph/host_products.hpp"
#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Runs the work of a step at once, as systems on the host do. `Key` says what a record of the work would depend on.
template <typename System, typename Key>
class ImmediateRunner {
 public:
  explicit ImmediateRunner(const Thrust<System>& /*backend*/) {}

  template <typename Work>
  void run(const Thrust<System>& /*backend*/, const Key& /*key*/, const Work& work) {
    work();
  }
};

/// Specialised by a system that has its own: `Products` like HostProducts, `Runner<Key>` like ImmediateRunner.
template <typename System, typename Scalar, Precision precision>
struct SystemTraits;

template <typename System, typename Scalar, Precision precision>
  requires(System::host_memory)
struct SystemTraits<System, Scalar, precision> {
  using Products = HostProducts<System, Scalar, precision>;
  template <typename Key>
  using Runner = ImmediateRunner<System, Key>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
