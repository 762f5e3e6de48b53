// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Jobs of blocks on a GPU. To be compiled by nvcc.

#ifndef __CUDACC__
#error "retort: this header has code for the GPU: compile the file with nvcc, as CUDA (.cu)"
#endif

#include <cuda_runtime_api.h>

#include <cstddef>
#include <source_location>
#include <string>

#include "retort/backend/cuda/block/device/kernels.hpp"
#include "retort/backend/cuda/block/job.hpp"
#include "retort/backend/thrust/cuda.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

namespace detail {

/// Allows a kernel `bytes` of shared memory. Precondition: a block of the device can have them (refusal_on).
template <typename Kernel>
void allow_block_memory(cuda::CudaContext& context, Kernel kernel, std::size_t bytes,
                        const std::source_location& where) {
  context.check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
                "choice of a block's memory", where);
}

template <typename Layout, typename Kernel, typename Argument>
void launch(cuda::CudaContext& context, Kernel kernel, unsigned blocks, const Argument& argument,
            const std::source_location& where) {
  const auto entry = context.enter(where);
  allow_block_memory(context, kernel, Layout::bytes, where);
  kernel<<<blocks, Layout::threads, Layout::bytes, context.stream()>>>(argument);
  context.check_launch(where);
}

/// Launches the blocks of one cluster. Throws DeviceError where the device has no room for it.
template <typename Layout, typename Job>
void launch_cluster(cuda::CudaContext& context, void (*kernel)(Job), const Job& job,
                    const std::source_location& where) {
  const auto entry = context.enter(where);
  allow_block_memory(context, kernel, Layout::bytes, where);
  cudaLaunchAttribute shape{};
  shape.id = cudaLaunchAttributeClusterDimension;
  shape.val.clusterDim.x = static_cast<unsigned>(Layout::blocks);
  shape.val.clusterDim.y = 1;
  shape.val.clusterDim.z = 1;
  cudaLaunchConfig_t launch{};
  launch.gridDim = dim3(static_cast<unsigned>(Layout::blocks));
  launch.blockDim = dim3(static_cast<unsigned>(Layout::threads));
  launch.dynamicSmemBytes = Layout::bytes;
  launch.stream = context.stream();
  launch.attrs = &shape;
  launch.numAttrs = 1;
  int clusters = 0;
  context.check(cudaOccupancyMaxActiveClusters(&clusters, kernel, &launch), "question for room for a cluster", where);
  if (clusters < 1) {
    throw DeviceError("CUDA: " + context.facts().name + " has no room for a cluster of " +
                      std::to_string(Layout::blocks) + " blocks with " + std::to_string(Layout::bytes) +
                      " bytes of memory each; use backend::Cuda, which trains the model by one block");
  }
  context.check(cudaLaunchKernelEx(&launch, kernel, job), "launch of a cluster", where);
  context.check_launch(where);
}

}  // namespace detail

/// Takes the steps of a job whose batches are single chunks, in the stream, by the blocks of a cluster. Throws
/// DeviceError.
template <typename Layout, int... Architectures, std::size_t Moments, typename L, typename Rule, typename Scalar>
void train_cluster(const system::CudaFor<Architectures...>& system, const TrainingJob<Scalar, Moments, L, Rule>& job,
                   const std::source_location& where = std::source_location::current()) {
  using Job = TrainingJob<Scalar, Moments, L, Rule>;
  detail::launch_cluster<Layout>(system.context(), &detail::train_model_by_cluster<Layout, Scalar, Job>, job, where);
}

/// Takes the steps of a job, in the stream, by one block. Throws DeviceError.
template <typename Layout, int... Architectures, std::size_t Moments, typename L, typename Rule, typename Scalar>
void train_block(const system::CudaFor<Architectures...>& system, const TrainingJob<Scalar, Moments, L, Rule>& job,
                 const std::source_location& where = std::source_location::current()) {
  using Job = TrainingJob<Scalar, Moments, L, Rule>;
  const auto kernel = job.batches(Layout::samples) == Batches::single_chunks
                          ? &detail::train_model<Layout, Batches::single_chunks, Scalar, Job>
                          : &detail::train_model<Layout, Batches::any, Scalar, Job>;
  detail::launch<Layout>(system.context(), kernel, 1, job, where);
}

/// Takes the steps of `count` jobs, which are in the device's memory, in the stream, a block for each: all at once
/// where there are enough multiprocessors. Every job suits kernels of the kind `batches`. Throws DeviceError.
template <typename Layout, typename Scalar, int... Architectures, typename Job>
void train_blocks(const system::CudaFor<Architectures...>& system, const Job* jobs, std::size_t count, Batches batches,
                  const std::source_location& where = std::source_location::current()) {
  const auto kernel = batches == Batches::single_chunks
                          ? &detail::train_models<Layout, Batches::single_chunks, Scalar, Job>
                          : &detail::train_models<Layout, Batches::any, Scalar, Job>;
  detail::launch<Layout>(system.context(), kernel, static_cast<unsigned>(count), jobs, where);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
