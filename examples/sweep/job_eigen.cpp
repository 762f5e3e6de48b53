// SPDX-License-Identifier: MIT
/// The sweep on the CPU, a student on each thread.

#include <algorithm>
#include <thread>

#include "job.hpp"
#include "options.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace sweep {

void run_eigen(const Options& options) {
  const unsigned threads = options.threads.value_or(std::max(std::thread::hardware_concurrency(), 1u));
  Job(options, retort::backend::Eigen(threads)).run();
}

}  // namespace sweep
