// SPDX-License-Identifier: MIT
/// Inference with Thrust on OpenMP.

#include "host_runner.hpp"
#include "nn/predict_benchmark.hpp"
#include "retort/backend/thrust/omp.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_omp =
    register_predictions<HostRunner<backend::Thrust<system::Omp>>>();

}  // namespace retort::benchmarks
