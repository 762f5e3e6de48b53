// SPDX-License-Identifier: MIT
/// The job on the CPU's cores, with Thrust on oneTBB.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/thrust/tbb.hpp"

namespace distill_mnist {

void run_thrust_tbb(const Options& options) {
  Job(options, retort::backend::Thrust<retort::system::Tbb>({.threads = options.threads.value_or(0)})).run();
}

}  // namespace distill_mnist
