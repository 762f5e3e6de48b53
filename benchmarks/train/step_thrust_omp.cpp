// SPDX-License-Identifier: MIT
/// Training steps with Thrust on OpenMP.

#include "host_runner.hpp"
#include "retort/backend/thrust/omp.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_omp = register_steps<HostRunner<backend::Thrust<system::Omp>>>();

}  // namespace retort::benchmarks
