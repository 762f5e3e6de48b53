// SPDX-License-Identifier: MIT
/// Several students at once with Eigen.

#include "host_runner.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "train/sweep_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_sweep = register_sweeps<HostRunner<backend::Eigen>>();

}  // namespace retort::benchmarks
