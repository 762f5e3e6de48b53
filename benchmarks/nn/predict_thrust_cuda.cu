// SPDX-License-Identifier: MIT
/// Inference with Thrust on a GPU.

#include "cuda_runner.hpp"
#include "nn/predict_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_cuda =
    register_predictions<CudaRunner<backend::Thrust<system::Cuda>>>();

}  // namespace retort::benchmarks
