// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Copies between the host's memory and a context's, and within the latter. Pointers to the device are the context's.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <source_location>
#include <span>
#include <type_traits>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// to[i] = from[i]; waits for all work in the stream. Throws DeviceError.
template <typename T>
void copy_to_host(CudaContext& context, const T* from, std::span<T> to,
                  const std::source_location& where = std::source_location::current()) {
  static_assert(std::is_trivially_copyable_v<T>, "retort: only trivially copyable elements cross to a device");
  const auto entry = context.enter(where);
  if (!to.empty()) {
    context.check(cudaMemcpyAsync(to.data(), from, to.size_bytes(), cudaMemcpyDeviceToHost, context.stream()),
                  "copy to the host", where);
  }
  context.check(cudaStreamSynchronize(context.stream()), "copy to the host", where);
}

/// to[i] = from[i], after the work that is in the stream; `from` may be reused at once. Throws DeviceError.
template <typename T>
void copy_from_host(CudaContext& context, std::span<const T> from, T* to,
                    const std::source_location& where = std::source_location::current()) {
  static_assert(std::is_trivially_copyable_v<T>, "retort: only trivially copyable elements cross to a device");
  const auto entry = context.enter(where);
  if (!from.empty()) {
    context.check(cudaMemcpyAsync(to, from.data(), from.size_bytes(), cudaMemcpyHostToDevice, context.stream()),
                  "copy from the host", where);
    // Only for memory that is not pinned would the call itself wait until `from` has been read.
    context.check(cudaStreamSynchronize(context.stream()), "copy from the host", where);
  }
}

/// to[i] = from[i] for i < count, in the stream; the ranges do not overlap. Throws DeviceError.
template <typename T>
void copy_on_device(CudaContext& context, const T* from, T* to, std::size_t count,
                    const std::source_location& where = std::source_location::current()) {
  static_assert(std::is_trivially_copyable_v<T>, "retort: only trivially copyable elements are copied on a device");
  const auto entry = context.enter(where);
  if (count > 0) {
    context.check(cudaMemcpyAsync(to, from, count * sizeof(T), cudaMemcpyDeviceToDevice, context.stream()),
                  "copy on the device", where);
  }
}

/// All bytes of values[i], i < count, become zero, in the stream. Throws DeviceError.
template <typename T>
void fill_zero(CudaContext& context, T* values, std::size_t count,
               const std::source_location& where = std::source_location::current()) {
  static_assert(std::is_trivially_copyable_v<T>, "retort: only trivially copyable elements are set to zero bytes");
  const auto entry = context.enter(where);
  if (count > 0) {
    context.check(cudaMemsetAsync(values, 0, count * sizeof(T), context.stream()), "filling with zeros", where);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
