// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A CUDA stream that ends with its owner.

#include <cuda_runtime_api.h>

#include <new>
#include <source_location>

#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// A stream of one device that does not wait for the legacy default stream. Throws DeviceError; its end never throws,
/// and does not wait for the work that is in it.
class Stream {
 public:
  explicit Stream(int device, const std::source_location& where = std::source_location::current()) : device_(device) {
    const DeviceGuard guard(device, where);
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creation of a stream", where);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    const DeviceGuard guard(device_, std::nothrow);
    (void)cudaStreamDestroy(stream_);
  }

  cudaStream_t get() const { return stream_; }

 private:
  int device_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
