/// The job on a GPU, with TF32 products in training.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace distill_mnist {

void run_cuda_tf32(const Options& options) {
  Job(options, retort::backend::CudaTf32({.device = options.device.value_or(0)})).run();
}

}  // namespace distill_mnist
