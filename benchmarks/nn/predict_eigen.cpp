// SPDX-License-Identifier: MIT
/// Inference with Eigen, in float and with bf16 products.

#include "host_runner.hpp"
#include "nn/predict_benchmark.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/bf16.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_eigen = register_predictions<HostRunner<backend::Eigen>>();
[[maybe_unused]] static const bool registered_eigen_bf16 = register_predictions<HostRunner<backend::EigenBf16>>();

}  // namespace retort::benchmarks
