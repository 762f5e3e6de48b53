// SPDX-License-Identifier: MIT
/// The sweep on a GPU, a student on each multiprocessor.

#include "job.hpp"
#include "options.hpp"
#include "retort/backend/cuda/cuda.hpp"

namespace sweep {

void run_cuda(const Options& options) {
  Job(options, retort::backend::Cuda({.device = options.device.value_or(0)})).run();
}

}  // namespace sweep
