// SPDX-License-Identifier: MIT
/// Training steps with Thrust on one thread.

#include "host_runner.hpp"
#include "retort/backend/thrust/cpp.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_cpp = register_steps<HostRunner<backend::Thrust<system::Cpp>>>();

}  // namespace retort::benchmarks
