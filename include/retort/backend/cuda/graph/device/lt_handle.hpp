// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A cuBLASLt handle of one device.

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <new>
#include <source_location>

#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// Throws DeviceError; its end never throws. It has neither stream nor workspace: each product names its own.
class LtHandle {
 public:
  explicit LtHandle(int device, const std::source_location& where = std::source_location::current()) : device_(device) {
    const DeviceGuard guard(device, where);
    check(cublasLtCreate(&handle_), "creation of a cuBLASLt handle", where);
  }
  LtHandle(const LtHandle&) = delete;
  LtHandle& operator=(const LtHandle&) = delete;
  ~LtHandle() {
    // At the end of the process the driver may be gone, and cuBLASLt does not expect that.
    int current = 0;
    if (cudaGetDevice(&current) == cudaSuccess) {
      const DeviceGuard guard(device_, std::nothrow);
      (void)cublasLtDestroy(handle_);
    }
  }

  cublasLtHandle_t get() const { return handle_; }

 private:
  int device_;
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
