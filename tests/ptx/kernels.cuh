// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// RETORT_PTX_KERNEL(Case): a kernel of that name, with the body of the library's own.

#include "ptx/kernel_cases.hpp"
#include "retort/backend/cuda/block/device/kernels.hpp"

#define RETORT_PTX_KERNEL(name)                                                              \
  extern "C" __global__ void __launch_bounds__(retort::test::ptx::name::Layout::threads, 1)  \
      name(const __grid_constant__ retort::test::ptx::name::Job job) {                       \
    using Case = retort::test::ptx::name;                                                    \
    retort::backend::block::detail::run_job<Case::Layout, Case::batches, Case::Scalar>(job); \
  }
