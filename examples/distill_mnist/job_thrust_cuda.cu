// SPDX-License-Identifier: MIT
/// The job on a GPU, with Thrust and cuBLAS.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/thrust/cuda.hpp"

namespace distill_mnist {

void run_thrust_cuda(const Options& options) {
  Job(options, retort::backend::Thrust<retort::system::Cuda>({.device = options.device.value_or(0)})).run();
}

}  // namespace distill_mnist
