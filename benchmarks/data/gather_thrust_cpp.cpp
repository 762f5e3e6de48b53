// SPDX-License-Identifier: MIT
/// Batches out of a dataset with Thrust on one thread.

#include "data/gather_benchmark.hpp"
#include "host_runner.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_cpp = register_gathers<HostRunner<backend::Thrust<system::Cpp>>>();

}  // namespace retort::benchmarks
