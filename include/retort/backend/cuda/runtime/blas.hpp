// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A cuBLAS handle bound to one stream, with the settings under which its products repeat bit for bit.

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <source_location>

#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/backend/cuda/runtime/handle.hpp"
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
using BlasHandle = DeviceHandle<cublasHandle_t, cublasDestroy>;

/// Precondition: `workspace` (256-byte aligned, `bytes`) and `stream` are the device's and outlive the handle. Throws
/// DeviceError.
inline BlasHandle create_blas_handle(int device, cudaStream_t stream, void* workspace, std::size_t bytes,
                                     const std::source_location& where = std::source_location::current()) {
  const DeviceGuard guard(device, where);
  auto handle = create_on_device<BlasHandle>(device, cublasCreate, "creation of a handle", where);
  // The order matters: setting the stream restores the default workspace.
  check(cublasSetStream(handle.get(), stream), "choice of the stream", where);
  check(cublasSetWorkspace(handle.get(), workspace, bytes), "choice of the workspace", where);
  check(cublasSetMathMode(handle.get(), CUBLAS_DEFAULT_MATH), "choice of the math mode", where);
  check(cublasSetAtomicsMode(handle.get(), CUBLAS_ATOMICS_NOT_ALLOWED), "choice of the atomics mode", where);
  check(cublasSetPointerMode(handle.get(), CUBLAS_POINTER_MODE_HOST), "choice of the pointer mode", where);
  return handle;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
