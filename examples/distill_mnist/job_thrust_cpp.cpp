// SPDX-License-Identifier: MIT
/// The job on one thread of the CPU, with Thrust.

#include "backends.hpp"
#include "job.hpp"
#include "retort/backend/thrust/cpp.hpp"

namespace distill_mnist {

void run_thrust_cpp(const Options& options) { Job(options, retort::backend::Thrust<retort::system::Cpp>()).run(); }

}  // namespace distill_mnist
