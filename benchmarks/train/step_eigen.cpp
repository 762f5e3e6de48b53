// SPDX-License-Identifier: MIT
/// Training steps with Eigen.

#include "host_runner.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_eigen = register_steps<HostRunner<backend::Eigen>>();

}  // namespace retort::benchmarks
