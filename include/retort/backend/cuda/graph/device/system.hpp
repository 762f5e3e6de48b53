// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// GraphSteps on a GPU: products by cuBLASLt, each step a CUDA graph. To be compiled by nvcc, and linked with cudart,
/// cublas and cublasLt.

#include "retort/backend/cuda/graph/device/captured_runner.hpp"
#include "retort/backend/cuda/graph/device/lt_products.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/backend/cuda/graph/system_traits.hpp"
#include "retort/backend/thrust/cuda.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

template <int... Architectures, typename Scalar, Precision precision>
struct SystemTraits<system::CudaFor<Architectures...>, Scalar, precision> {
  using System = system::CudaFor<Architectures...>;
  using Products = LtProducts<System, Scalar, precision>;
  template <typename Key>
  using Runner = CapturedRunner<System, Key>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
