// SPDX-License-Identifier: MIT
// The kernels that train the MNIST student, for the host to read as PTX.

#include "ptx/kernels.cuh"

RETORT_PTX_STUDENT_KERNELS(RETORT_PTX_KERNEL)

extern "C" __global__ void __launch_bounds__(retort::test::ptx::MnistSweep::Layout::threads, 1)
    MnistSweep(const retort::test::ptx::MnistSweep::Job* jobs) {
  using Case = retort::test::ptx::MnistSweep;
  retort::backend::block::detail::run_job_of_block<Case::Layout, Case::batches, Case::Scalar>(jobs);
}
