// SPDX-License-Identifier: MIT
/// Training steps on a GPU with TF32 products.

#include "cuda_runner.hpp"
#include "retort/backend/cuda/cuda.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered = register_teacher_steps<CudaRunner<backend::CudaTf32>>();

}  // namespace retort::benchmarks
