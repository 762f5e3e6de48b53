// SPDX-License-Identifier: MIT
/// Batches out of a dataset with Eigen.

#include "data/gather_benchmark.hpp"
#include "host_runner.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_eigen = register_gathers<HostRunner<backend::Eigen>>();

}  // namespace retort::benchmarks
