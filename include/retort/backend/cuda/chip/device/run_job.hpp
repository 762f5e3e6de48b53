#pragma once
/// @file
/// Jobs of blocks on a GPU. To be compiled by nvcc.

#ifndef __CUDACC__
#error "retort: this header has code for the GPU: compile the file with nvcc, as CUDA (.cu)"
#endif

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "retort/backend/cuda/chip/device/team.hpp"
#include "retort/backend/cuda/chip/training.hpp"
#include "retort/backend/thrust/cuda.hpp"
#include "retort/core/error.hpp"

namespace retort::backend::chip {

namespace detail {

template <typename Scalar>
__device__ Scalar* block_shared_memory() {
  extern __shared__ float4 memory[];
  return reinterpret_cast<Scalar*>(memory);
}

template <typename Layout, typename Scalar, typename Job>
__global__ void __launch_bounds__(Layout::threads, 1) train_model(const __grid_constant__ Job job) {
  DeviceTeam<Layout::threads> team;
  train<Layout>(team, job, block_shared_memory<Scalar>());
}

/// Throws DeviceError where a block of the device cannot have so much shared memory.
inline void require_block_memory(cuda::CudaContext& context, std::size_t bytes, const std::source_location& where) {
  int most = 0;
  context.check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, context.device()),
                "attribute of the device", where);
  if (static_cast<std::size_t>(most) < bytes) {
    throw DeviceError("CUDA: the model's training takes " + std::to_string(bytes) + " bytes of a block's memory, and " +
                      context.facts().name + " has " + std::to_string(most) +
                      "; use a device of compute capability 9.0 or newer, or backend::Thrust<system::Cuda>");
  }
}

}  // namespace detail

/// Takes the steps of a job, in the stream, by one block. Throws DeviceError.
template <typename Layout, int... Architectures, std::size_t Moments, typename L, typename Rule, typename Scalar>
void run_job(const system::CudaFor<Architectures...>& system, const TrainingJob<Scalar, Moments, L, Rule>& job,
             const std::source_location& where = std::source_location::current()) {
  cuda::CudaContext& context = system.context();
  const auto entry = context.enter(where);
  detail::require_block_memory(context, Layout::bytes, where);
  const auto kernel = &detail::train_model<Layout, Scalar, TrainingJob<Scalar, Moments, L, Rule>>;
  context.check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int{Layout::bytes}),
                "choice of a block's memory", where);
  kernel<<<1, Layout::threads, Layout::bytes, context.stream()>>>(job);
  context.check_launch(where);
}

}  // namespace retort::backend::chip
