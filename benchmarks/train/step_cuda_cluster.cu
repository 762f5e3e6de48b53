// SPDX-License-Identifier: MIT
/// The student's training steps on a GPU by a cluster of blocks.

#include "cuda_runner.hpp"
#include "retort/backend/cuda/cuda.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

[[maybe_unused]] static const bool registered = register_student_steps<CudaRunner<backend::CudaCluster>>();

}  // namespace retort::benchmarks
