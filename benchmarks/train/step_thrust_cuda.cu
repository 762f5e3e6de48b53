// SPDX-License-Identifier: MIT
/// Training steps with Thrust on a GPU.

#include "cuda_runner.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered_thrust_cuda = register_steps<CudaRunner<backend::Thrust<system::Cuda>>>();

}  // namespace retort::benchmarks
