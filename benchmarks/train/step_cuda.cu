// SPDX-License-Identifier: MIT
/// Training steps on a GPU, models that fit a block's memory on chip; exact fp32.

#include "cuda_runner.hpp"
#include "retort/backend/cuda/cuda.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered = register_steps<CudaRunner<backend::Cuda>>();

}  // namespace retort::benchmarks
