// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whether a device may still be used. After certain errors CUDA answers every call with the same error, which by then
/// names the wrong operation. So the first error is kept, and every later call reports it at once.

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <source_location>
#include <string>
#include <string_view>

#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// Checks statuses and remembers the first sticky error. For one thread at a time.
class DeviceState {
 public:
  bool usable() const { return first_error_.empty(); }

  /// Throws DeviceError "unusable since: FIRST ERROR" after such an error.
  void require_usable() const {
    if (!usable()) {
      throw DeviceError("unusable since: " + first_error_);
    }
  }

  /// Throws DeviceError unless `status` is success.
  void check(cudaError_t status, std::string_view what,
             const std::source_location& where = std::source_location::current()) {
    if (status != cudaSuccess) {
      (void)cudaGetLastError();
      fail(status, error_text(status, what, where));
    }
  }
  /// The same; if a sticky error of the device made cuBLAS fail, reports that error.
  void check(cublasStatus_t status, std::string_view what,
             const std::source_location& where = std::source_location::current()) {
    if (status != CUBLAS_STATUS_SUCCESS) {
      const cudaError_t cause = cudaGetLastError();
      fail(cause, is_sticky(cause) ? error_text(cause, what, where) : error_text(status, what, where));
    }
  }
  /// To be called right after the launch of a kernel at `where`: throws DeviceError if it could not be launched. Errors
  /// of the kernel itself appear in a later call.
  void check_launch(const std::source_location& where = std::source_location::current()) {
    if (const cudaError_t status = cudaGetLastError(); status != cudaSuccess) {
      check(status, launch_name(where), where);
    }
  }

 private:
  [[noreturn]] void fail(cudaError_t status, const std::string& text) {
    require_usable();
    if (is_sticky(status)) {
      first_error_ = text;
    }
    throw DeviceError(text);
  }

  std::string first_error_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
