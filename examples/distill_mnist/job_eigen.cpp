/// The job on the CPU, with Eigen.

#include <algorithm>
#include <thread>

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace distill_mnist {

void run_eigen(const Options& options) {
  // A layer's work is cut into about eight pieces: more threads than that would only wait.
  const unsigned threads = options.threads.value_or(std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
  Job(options, retort::backend::Eigen(threads)).run();
}

}  // namespace distill_mnist
