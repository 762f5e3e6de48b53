// SPDX-License-Identifier: MIT
/// Several students at once on a GPU, each on a multiprocessor.

#include "cuda_runner.hpp"
#include "retort/backend/cuda/cuda.hpp"
#include "train/sweep_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered = register_sweeps<CudaRunner<backend::Cuda>>();

}  // namespace retort::benchmarks
