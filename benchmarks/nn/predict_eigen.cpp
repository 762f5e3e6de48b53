// SPDX-License-Identifier: MIT
/// Inference with Eigen.

#include "host_runner.hpp"
#include "nn/predict_benchmark.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_eigen = register_predictions<HostRunner<backend::Eigen>>();

}  // namespace retort::benchmarks
