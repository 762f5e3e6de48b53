// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Every status of the CUDA runtime and of cuBLAS, checked: a failure is a DeviceError of one line,
/// "CUDA: WHAT: TEXT (NAME, FILE:LINE); HINT".

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <source_location>
#include <string>
#include <string_view>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

inline constexpr std::string_view another_backend = "use another backend (--backend eigen)";

/// Whether no later work of this process on the device can succeed, by CUDA's own documentation (driver_types.h) or
/// because memory is lost.
constexpr bool is_sticky(cudaError_t status) {
  constexpr cudaError_t sticky[] = {
      cudaErrorECCUncorrectable,    cudaErrorNvlinkUncorrectable, cudaErrorContained,
      cudaErrorIllegalAddress,      cudaErrorLaunchTimeout,       cudaErrorAssert,
      cudaErrorHardwareStackError,  cudaErrorIllegalInstruction,  cudaErrorMisalignedAddress,
      cudaErrorInvalidAddressSpace, cudaErrorInvalidPc,           cudaErrorLaunchFailure,
      cudaErrorTensorMemoryLeak,    cudaErrorMpsClientTerminated, cudaErrorExternalDevice};
  return std::ranges::find(sticky, status) != std::end(sticky);
}

/// What the user can do about an error; empty where there is no general advice.
inline std::string error_hint(cudaError_t status) {
  const std::string or_another_backend = ", or " + std::string{another_backend};
  if (is_sticky(status)) {
    return "the cause may be an earlier operation; the device is unusable until the process ends";
  }
  switch (status) {
    case cudaErrorInsufficientDriver:
    case cudaErrorCallRequiresNewerDriver:
    case cudaErrorStubLibrary:
      return "there is no NVIDIA driver, or one older than the program needs: update it" + or_another_backend;
    case cudaErrorNoDevice:
      return "make a device visible (CUDA_VISIBLE_DEVICES)" + or_another_backend;
    case cudaErrorInvalidDevice:
      return "no device has this number: choose another (CUDA_VISIBLE_DEVICES counts from 0)" + or_another_backend;
    case cudaErrorDevicesUnavailable:
      return "another process may hold the device for itself: wait for it" + or_another_backend;
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidKernelImage:
    case cudaErrorInvalidDeviceFunction:
      return "the program holds no code for this device: compile it for the device's architecture" + or_another_backend;
    case cudaErrorInvalidPtx:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorJitCompilationDisabled:
      return "the driver cannot compile the program for this device: update it, compile the program for the device's "
             "architecture" +
             or_another_backend;
    case cudaErrorMemoryAllocation:
      return "use a smaller batch" + or_another_backend;
    case cudaErrorInitializationError:
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorOperatingSystem:
    case cudaErrorUnknown:
      return "the driver does not work: see what nvidia-smi says" + or_another_backend;
    default:
      return {};
  }
}

inline std::string error_hint(cublasStatus_t status) {
  const std::string or_another_backend = ", or " + std::string{another_backend};
  switch (status) {
    case CUBLAS_STATUS_NOT_INITIALIZED:
      return "the driver may not work, or the device may have no memory left" + or_another_backend;
    case CUBLAS_STATUS_ALLOC_FAILED:
      return "out of memory: use a smaller batch" + or_another_backend;
    case CUBLAS_STATUS_ARCH_MISMATCH:
      return "the device is too old for this version of cuBLAS: " + std::string{another_backend};
    default:
      return {};
  }
}

namespace detail {

/// "buffer.hpp:20": a line of the source, whatever folder it was compiled in.
inline std::string place(const std::source_location& where) {
  const std::string_view path = where.file_name();
  const std::size_t folder = path.find_last_of("/\\");
  return std::string{folder == std::string_view::npos ? path : path.substr(folder + 1)} + ':' +
         std::to_string(where.line());
}

inline std::string error_line(std::string_view library, std::string_view what, std::string_view text,
                              std::string_view name, const std::source_location& where, std::string_view hint) {
  std::string line;
  line.append(library).append(": ").append(what).append(": ").append(text).append(" (").append(name).append(", ");
  line.append(place(where)).append(")");
  if (!hint.empty()) {
    line.append("; ").append(hint);
  }
  return line;
}

}  // namespace detail

/// "launch of loss" for a line of loss.hpp: the headers of the operations are named after them.
inline std::string launch_name(const std::source_location& where) {
  const std::string place = detail::place(where);
  return "launch of " + place.substr(0, place.find('.'));
}

/// The line of a failure. `what` names what was tried: "copy to the host".
inline std::string error_text(cudaError_t status, std::string_view what, const std::source_location& where) {
  return detail::error_line("CUDA", what, cudaGetErrorString(status), cudaGetErrorName(status), where,
                            error_hint(status));
}
inline std::string error_text(cublasStatus_t status, std::string_view what, const std::source_location& where) {
  return detail::error_line("cuBLAS", what, cublasGetStatusString(status), cublasGetStatusName(status), where,
                            error_hint(status));
}

/// Throws DeviceError unless `status` is success, and clears CUDA's record of the last error, so that the next launch
/// is not blamed for this one. With a CudaContext use its own check instead: it also remembers that a device has become
/// unusable.
inline void check(cudaError_t status, std::string_view what,
                  const std::source_location& where = std::source_location::current()) {
  if (status != cudaSuccess) {
    (void)cudaGetLastError();
    throw DeviceError(error_text(status, what, where));
  }
}
inline void check(cublasStatus_t status, std::string_view what,
                  const std::source_location& where = std::source_location::current()) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw DeviceError(error_text(status, what, where));
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
