// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Device memory in stream order: allocating and freeing wait for nothing, and freed memory is kept for the next
/// allocation.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <source_location>

#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/backend/cuda/runtime/handle.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/size.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// A pool of its own, so that the device's default pool stays as the rest of the program set it. Where the device has
/// no pools, cudaMalloc and cudaFree, which wait for the device.
class MemoryPool {
 public:
  /// Throws DeviceError.
  explicit MemoryPool(const DeviceFacts& device, const std::source_location& where = std::source_location::current())
      : device_(device.index) {
    if (!device.memory_pools) {
      return;
    }
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.handleTypes = cudaMemHandleTypeNone;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device_;
    const auto create = [&](cudaMemPool_t* pool) { return cudaMemPoolCreate(pool, &properties); };
    pool_ = create_on_device<Pool>(device_, create, "creation of a memory pool", where);
    // Keep everything: by default a pool gives its memory back to the system whenever the host waits for the stream.
    std::uint64_t threshold = std::numeric_limits<std::uint64_t>::max();
    check(cudaMemPoolSetAttribute(pool_.get(), cudaMemPoolAttrReleaseThreshold, &threshold),
          "release threshold of a memory pool", where);
  }

  MemoryPool(const MemoryPool&) = delete;  // its memory comes back to it
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// At least 256-byte aligned, contents undefined. Precondition: the device is current, bytes > 0.
  cudaError_t allocate(void** memory, std::size_t bytes, cudaStream_t stream) noexcept {
    return pool_ == nullptr ? cudaMalloc(memory, bytes) : cudaMallocFromPoolAsync(memory, bytes, pool_.get(), stream);
  }

  /// Frees after the work that is in the stream. Never throws, even if a device or a driver is gone.
  void release(void* memory, cudaStream_t stream) noexcept {
    const DeviceGuard guard(device_, std::nothrow);
    (void)(pool_ == nullptr ? cudaFree(memory) : cudaFreeAsync(memory, stream));
  }

  /// Bytes that the pool holds unused: they can be allocated, though the device does not count them as free.
  std::size_t cached() const noexcept {
    std::uint64_t reserved = 0;
    std::uint64_t used = 0;
    if (pool_ == nullptr ||
        cudaMemPoolGetAttribute(pool_.get(), cudaMemPoolAttrReservedMemCurrent, &reserved) != cudaSuccess ||
        cudaMemPoolGetAttribute(pool_.get(), cudaMemPoolAttrUsedMemCurrent, &used) != cudaSuccess || used > reserved) {
      return 0;
    }
    return to_size(reserved - used);
  }

 private:
  using Pool = DeviceHandle<cudaMemPool_t, cudaMemPoolDestroy>;

  int device_;
  Pool pool_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
