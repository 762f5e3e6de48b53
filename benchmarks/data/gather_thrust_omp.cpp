// SPDX-License-Identifier: MIT
/// Batches out of a dataset with Thrust on OpenMP.

#include "data/gather_benchmark.hpp"
#include "host_runner.hpp"
#include "retort/backend/thrust/omp.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_omp = register_gathers<HostRunner<backend::Thrust<system::Omp>>>();

}  // namespace retort::benchmarks
