// SPDX-License-Identifier: MIT
/// The job on the CPU, with Eigen and an optimizer around Adam: an average of the weights, a bound for their length.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace distill_mnist {

void run_eigen_wrapped(const Options& options) {
  Job<retort::backend::Eigen, WrappedAdam>(options, with_threads<retort::backend::Eigen>(options)).run();
}

}  // namespace distill_mnist
