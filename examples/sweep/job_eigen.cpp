// SPDX-License-Identifier: MIT
/// The sweep on the CPU, a student on each thread.

#include "job.hpp"
#include "options.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/available_threads.hpp"

namespace sweep {

void run_eigen(const Options& options) {
  using retort::backend::Eigen;
  Job(options, options.threads ? Eigen(*options.threads) : Eigen(retort::AvailableThreads{})).run();
}

}  // namespace sweep
