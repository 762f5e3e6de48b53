// SPDX-License-Identifier: MIT
/// The job on the CPU, with Eigen in mixed precision.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/eigen/bf16.hpp"

namespace distill_mnist {

void run_eigen_bf16(const Options& options) { Job(options, with_threads<retort::backend::EigenBf16>(options)).run(); }

}  // namespace distill_mnist
