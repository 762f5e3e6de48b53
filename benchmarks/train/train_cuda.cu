// SPDX-License-Identifier: MIT
/// Training on a GPU: steps in each precision and by clusters, several students at once, and whole distillations. In
/// one file, as they share most of their kernels.

#include "cuda_runner.hpp"
#include "retort/backend/cuda/cuda.hpp"
#include "train/distillation_benchmark.hpp"
#include "train/step_benchmark.hpp"
#include "train/sweep_benchmark.hpp"

namespace retort::benchmarks {

using Exact = CudaRunner<backend::Cuda>;

[[maybe_unused]] static const bool registered_cuda = register_steps<Exact>() &&
                                                     register_teacher_steps<CudaRunner<backend::CudaTf32>>() &&
                                                     register_teacher_steps<CudaRunner<backend::CudaBf16>>() &&
                                                     register_student_steps<CudaRunner<backend::CudaCluster>>() &&
                                                     register_sweeps<Exact>() && register_distillations<Exact>();

}  // namespace retort::benchmarks
