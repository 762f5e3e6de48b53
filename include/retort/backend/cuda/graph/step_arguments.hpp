// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What changes from one training step to the next. It stands in the device's memory, where kernels read it, so that
/// the graph captured from one step does every later one.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/arguments.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/optim/gradient_clipping.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

template <typename Scalar, std::size_t Moments, typename L, typename Rule>
struct StepArguments {
  using Value = Scalar;
  using LossType = L;
  static constexpr std::size_t moment_count = Moments;

  const std::uint32_t* samples;                // (batch)
  Scalar* losses;                              // (batch)
  std::uint8_t* correct;                       // (batch)
  Scalar* moments[Moments > 0 ? Moments : 1];  // each laid out as the parameters
  data::View view;
  Seed seed;  // of the dropout masks
  std::uint32_t step;
  GradientClipping clipping;
  L loss;
  Rule rule;

  RETORT_HOST_DEVICE LayerRandom random(std::uint32_t layer) const { return {seed, step, layer}; }
};

/// Bytes of device memory that a step's arguments may take.
inline constexpr std::size_t arguments_capacity = 1024;

/// Puts the arguments of the next step into the device's memory. They travel as a kernel's argument, in the order of
/// the stream, so the host waits for no copy.
template <typename Arguments>
struct WriteArguments {
  static_assert(std::is_trivially_copyable_v<Arguments>,
                "retort: losses and optimizers' rules are copied to the device as they are");
  static_assert(sizeof(Arguments) <= arguments_capacity,
                "retort: a loss and an optimizer's rule fit arguments_capacity");

  Arguments value;
  Arguments* arguments;

  RETORT_HOST_DEVICE void operator()(std::size_t /*index*/) const { *arguments = value; }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
