// SPDX-License-Identifier: MIT
/// Inference with Thrust on one thread.

#include "host_runner.hpp"
#include "nn/predict_benchmark.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_cpp =
    register_predictions<HostRunner<backend::Thrust<system::Cpp>>>();

}  // namespace retort::benchmarks
