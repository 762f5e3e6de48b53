// SPDX-License-Identifier: MIT
/// Training steps with Thrust on oneTBB.

#include "host_runner.hpp"
#include "retort/backend/thrust/tbb.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_tbb = register_steps<HostRunner<backend::Thrust<system::Tbb>>>();

}  // namespace retort::benchmarks
