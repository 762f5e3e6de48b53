// SPDX-License-Identifier: MIT
/// The job on the CPU's cores, with Thrust on OpenMP.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/thrust/omp.hpp"

namespace distill_mnist {

void run_thrust_omp(const Options& options) {
  Job(options, retort::backend::Thrust<retort::system::Omp>({.threads = options.threads.value_or(0)})).run();
}

}  // namespace distill_mnist
