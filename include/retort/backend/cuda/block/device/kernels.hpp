// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The kernels of blocks on a GPU. To be compiled by nvcc.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "retort/backend/cuda/block/device/team.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/cuda/block/kernel.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail {

template <typename Scalar>
__device__ Scalar* block_shared_memory() {
  extern __shared__ float4 memory[];
  return reinterpret_cast<Scalar*>(memory);
}

/// The work of each block, also in a cluster. Inlined however long it is, so that the job is read as a kernel's
/// argument.
template <typename Layout, Batches batches, typename Scalar, typename Job>
__device__ __forceinline__ void run_job(const Job& job) {
  DeviceTeam<Layout::threads> team;
  train<Layout, batches>(team, job, block_shared_memory<Scalar>());
}

/// Copies the job into the block's memory, since it is read all the time. There is no Job to assign to yet, so it
/// copies words.
template <typename Layout, Batches batches, typename Scalar, typename Job>
__device__ void run_job_of_block(const Job* jobs) {
  static_assert(sizeof(Job) % sizeof(std::uint32_t) == 0 && sizeof(Job) <= job_capacity);
  alignas(Job) __shared__ std::uint32_t words[sizeof(Job) / sizeof(std::uint32_t)];
  const auto* from = reinterpret_cast<const std::uint32_t*>(jobs + blockIdx.x);
  for (std::size_t i = threadIdx.x; i < sizeof(Job) / sizeof(std::uint32_t); i += Layout::threads) {
    words[i] = from[i];
  }
  __syncthreads();
  run_job<Layout, batches, Scalar>(*reinterpret_cast<const Job*>(words));
}

template <typename Layout, Batches batches, typename Scalar, typename Job>
__global__ void __launch_bounds__(Layout::threads, 1) train_model(const __grid_constant__ Job job) {
  run_job<Layout, batches, Scalar>(job);
}

template <typename Layout, typename Scalar, typename Job>
__global__ void __launch_bounds__(Layout::threads, 1) train_model_by_cluster(const __grid_constant__ Job job) {
#if __CUDA_ARCH__ >= 900
  run_job<Layout, Batches::single_chunks, Scalar>(job);
#else
  __trap();  // such a device lacks clusters; its blocks have fewer bytes than a layout may take
#endif
}

template <typename Layout, Batches batches, typename Scalar, typename Job>
__global__ void __launch_bounds__(Layout::threads, 1) train_models(const Job* jobs) {
  run_job_of_block<Layout, batches, Scalar>(jobs);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block::detail
