/// The job on a GPU, with bf16 products in training.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace distill_mnist {

void run_cuda_bf16(const Options& options) {
  Job(options, retort::backend::CudaBf16({.device = options.device.value_or(0)})).run();
}

}  // namespace distill_mnist
