// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A cuBLAS handle bound to one stream, with the settings under which its products repeat bit for bit.

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <new>
#include <source_location>

#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// The workspace that cuBLAS's documentation (cublasSetWorkspace) recommends: 32 MiB from Hopper on, 4 MiB on the
/// architectures before it. In bytes.
constexpr std::size_t recommended_workspace(int compute_capability_major) {
  return (compute_capability_major >= 9 ? std::size_t{32} : std::size_t{4}) << 20;
}

/// One handle, one stream, one workspace: cuBLAS then gives the same bits in every run on one kind of device and one
/// version. The math mode is CUBLAS_DEFAULT_MATH: float is multiplied and added as float, double as double, with no
/// TF32 and no emulation unless the user's environment asks cuBLAS for them (NVIDIA_TF32_OVERRIDE,
/// CUBLAS_EMULATE_SINGLE_PRECISION). Atomic additions are off. Scalars are on the host.
class BlasHandle {
 public:
  /// Precondition: `workspace` (256-byte aligned, `bytes`) and `stream` are the device's and outlive the handle. Throws
  /// DeviceError.
  BlasHandle(int device, cudaStream_t stream, void* workspace, std::size_t bytes,
             const std::source_location& where = std::source_location::current())
      : device_(device) {
    const DeviceGuard guard(device, where);
    check(cublasCreate(&handle_), "creation of a handle", where);
    try {
      // The order matters: setting the stream puts the default workspace back.
      check(cublasSetStream(handle_, stream), "choice of the stream", where);
      check(cublasSetWorkspace(handle_, workspace, bytes), "choice of the workspace", where);
      check(cublasSetMathMode(handle_, CUBLAS_DEFAULT_MATH), "choice of the math mode", where);
      check(cublasSetAtomicsMode(handle_, CUBLAS_ATOMICS_NOT_ALLOWED), "choice of the atomics mode", where);
      check(cublasSetPointerMode(handle_, CUBLAS_POINTER_MODE_HOST), "choice of the pointer mode", where);
    } catch (...) {
      (void)cublasDestroy(handle_);
      throw;
    }
  }
  BlasHandle(const BlasHandle&) = delete;
  BlasHandle& operator=(const BlasHandle&) = delete;
  ~BlasHandle() {
    // At the end of the process the driver may be gone, and cuBLAS does not expect that.
    int current = 0;
    if (cudaGetDevice(&current) == cudaSuccess) {
      const DeviceGuard guard(device_, std::nothrow);
      (void)cublasDestroy(handle_);
    }
  }

  cublasHandle_t get() const { return handle_; }

 private:
  int device_;
  cublasHandle_t handle_ = nullptr;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
