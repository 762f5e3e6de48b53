// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// LargeSteps on a GPU: products by cuBLASLt, each step a CUDA graph. To be compiled by nvcc, and linked with cudart,
/// cublas and cublasLt.

#include "retort/backend/cuda/large/device/captured_runner.hpp"
#include "retort/backend/cuda/large/device/lt_products.hpp"
#include "retort/backend/cuda/large/large_steps.hpp"
#include "retort/backend/cuda/large/system_parts.hpp"
#include "retort/backend/thrust/cuda.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::large {

template <int... Architectures, typename Scalar, Precision precision>
struct SystemParts<system::CudaFor<Architectures...>, Scalar, precision> {
  using System = system::CudaFor<Architectures...>;
  using Products = LtProducts<System, Scalar, precision>;
  template <typename Key>
  using Runner = CapturedRunner<System, Key>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::large
