// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `retort::backend::Cuda`: training and inference on a GPU, for speed. To be compiled by nvcc, and linked with cudart,
/// cublas and cublasLt.

#include "retort/backend/thrust/cuda.hpp"
//
#include "retort/backend/backend.hpp"
#include "retort/backend/cuda/block/device/train_blocks.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/engines.hpp"
#include "retort/backend/cuda/graph/device/system.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Exact fp32 products, and the same with the tensor cores' other precisions: see Precision.
using Cuda = CudaOn<system::Cuda>;
using CudaTf32 = CudaOn<system::Cuda, Precision::tf32>;
using CudaBf16 = CudaOn<system::Cuda, Precision::bf16>;

/// Exact fp32 products, and small models trained by a cluster of blocks: see ThreadGroup.
using CudaCluster = CudaOn<system::Cuda, Precision::fp32, ThreadGroup::cluster>;

static_assert(Backend<Cuda, float> && Backend<CudaCluster, float> && Backend<Cuda, double> &&
              Backend<CudaTf32, float> && Backend<CudaBf16, float>);

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
