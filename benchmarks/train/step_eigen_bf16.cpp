// SPDX-License-Identifier: MIT
/// Training steps with Eigen in mixed precision.

#include "host_runner.hpp"
#include "retort/backend/eigen/bf16.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_eigen_bf16 = register_steps<HostRunner<backend::EigenBf16>>();

}  // namespace retort::benchmarks
