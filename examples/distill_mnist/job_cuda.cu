// SPDX-License-Identifier: MIT
/// The job on a GPU, in each precision and by clusters: in one file, as they share most of their kernels.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace distill_mnist {

namespace {

template <typename Backend>
void run(const Options& options) {
  Job(options, Backend({.device = options.device.value_or(0)})).run();
}

}  // namespace

void run_cuda(const Options& options) { run<retort::backend::Cuda>(options); }
void run_cuda_cluster(const Options& options) { run<retort::backend::CudaCluster>(options); }
void run_cuda_tf32(const Options& options) { run<retort::backend::CudaTf32>(options); }
void run_cuda_bf16(const Options& options) { run<retort::backend::CudaBf16>(options); }

}  // namespace distill_mnist
