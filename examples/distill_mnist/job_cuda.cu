/// The job on a GPU, in exact fp32.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace distill_mnist {

void run_cuda(const Options& options) {
  Job(options, retort::backend::Cuda({.device = options.device.value_or(0)})).run();
}

}  // namespace distill_mnist
