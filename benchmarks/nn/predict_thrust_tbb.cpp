// SPDX-License-Identifier: MIT
/// Inference with Thrust on oneTBB.

#include "host_runner.hpp"
#include "nn/predict_benchmark.hpp"
#include "retort/backend/thrust/tbb.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_tbb =
    register_predictions<HostRunner<backend::Thrust<system::Tbb>>>();

}  // namespace retort::benchmarks
