// SPDX-License-Identifier: MIT
/// A whole distillation on a GPU.

#include "cuda_runner.hpp"
#include "retort/backend/cuda/cuda.hpp"
#include "train/distillation_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered = register_distillations<CudaRunner<backend::Cuda>>();

}  // namespace retort::benchmarks
