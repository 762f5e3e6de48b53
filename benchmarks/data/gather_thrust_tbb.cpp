// SPDX-License-Identifier: MIT
/// Batches out of a dataset with Thrust on oneTBB.

#include "data/gather_benchmark.hpp"
#include "host_runner.hpp"
#include "retort/backend/thrust/tbb.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_tbb = register_gathers<HostRunner<backend::Thrust<system::Tbb>>>();

}  // namespace retort::benchmarks
