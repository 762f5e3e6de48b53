// SPDX-License-Identifier: MIT
/// The job on the CPU, with Eigen.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/eigen/backend.hpp"

namespace distill_mnist {

void run_eigen(const Options& options) { Job(options, with_threads<retort::backend::Eigen>(options)).run(); }

}  // namespace distill_mnist
