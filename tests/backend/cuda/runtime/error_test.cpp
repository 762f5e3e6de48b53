// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/error.hpp"

#include <source_location>
#include <string>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::test::contains;
using retort::test::error_of;

// The place that a message about this file's line `where` names.
std::string here(const std::source_location& where) { return "error_test.cpp:" + std::to_string(where.line()); }

TEST_CASE("A CUDA error is one line: what failed, its text and name, the place, a hint", "[backend]") {
  const auto where = std::source_location::current();
  CHECK(error_text(cudaErrorInvalidValue, "copy to the host", where) ==
        "CUDA: copy to the host: invalid argument (cudaErrorInvalidValue, " + here(where) + ")");
  CHECK(error_text(cudaErrorMemoryAllocation, "allocation", where) ==
        "CUDA: allocation: out of memory (cudaErrorMemoryAllocation, " + here(where) +
            "); use a smaller batch, or use another backend (--backend eigen)");
  CHECK(error_text(cudaErrorIllegalAddress, "work on the device", where) ==
        "CUDA: work on the device: an illegal memory access was encountered (cudaErrorIllegalAddress, " + here(where) +
            "); the cause may be an earlier operation; the device is unusable until the process ends");
  CHECK(error_text(CUBLAS_STATUS_ARCH_MISMATCH, "creation of a handle", where) ==
        std::string{"cuBLAS: creation of a handle: "} + cublasGetStatusString(CUBLAS_STATUS_ARCH_MISMATCH) +
            " (CUBLAS_STATUS_ARCH_MISMATCH, " + here(where) +
            "); the device is too old for this version of cuBLAS: use another backend (--backend eigen)");
}

TEST_CASE("Every error of CUDA and cuBLAS makes one line that names it", "[backend]") {
  const auto where = std::source_location::current();
  for (int code = 1; code <= 999; ++code) {
    const auto status = static_cast<cudaError_t>(code);
    const std::string text = error_text(status, "what", where);
    CAPTURE(code, text);
    CHECK(text.starts_with("CUDA: what: "));
    CHECK(contains(text, std::string{" ("} + cudaGetErrorName(status) + ", " + here(where) + ")"));
    CHECK_FALSE(contains(text, "\n"));
    CHECK(is_sticky(status) == contains(text, "unusable until the process ends"));
  }
  for (int code = 1; code <= 16; ++code) {
    const auto status = static_cast<cublasStatus_t>(code);
    const std::string text = error_text(status, "what", where);
    CAPTURE(code, text);
    CHECK(text.starts_with("cuBLAS: what: "));
    CHECK(contains(text, std::string{" ("} + cublasGetStatusName(status) + ", " + here(where) + ")"));
    CHECK_FALSE(contains(text, "\n"));
  }
}

TEST_CASE("A launch is named after the file of its operation", "[backend]") {
  CHECK(launch_name(std::source_location::current()) == "launch of error_test");
}

TEST_CASE("Errors that a user can do something about say what", "[backend]") {
  for (const cudaError_t status :
       {cudaErrorInsufficientDriver, cudaErrorStubLibrary, cudaErrorNoDevice, cudaErrorInvalidDevice,
        cudaErrorDevicesUnavailable, cudaErrorNoKernelImageForDevice, cudaErrorUnsupportedPtxVersion,
        cudaErrorMemoryAllocation, cudaErrorSystemNotReady, cudaErrorUnknown}) {
    CAPTURE(cudaGetErrorName(status));
    CHECK(contains(error_hint(status), "--backend eigen"));
  }
  for (const cublasStatus_t status :
       {CUBLAS_STATUS_NOT_INITIALIZED, CUBLAS_STATUS_ALLOC_FAILED, CUBLAS_STATUS_ARCH_MISMATCH}) {
    CAPTURE(cublasGetStatusName(status));
    CHECK(contains(error_hint(status), "--backend eigen"));
  }
  CHECK(contains(error_hint(cudaErrorInsufficientDriver), "no NVIDIA driver"));
  CHECK(contains(error_hint(cudaErrorNoDevice), "CUDA_VISIBLE_DEVICES"));
  CHECK(contains(error_hint(cudaErrorNoKernelImageForDevice), "compile it for the device's architecture"));
  CHECK(error_hint(cudaErrorInvalidValue).empty());
  CHECK(error_hint(CUBLAS_STATUS_INVALID_VALUE).empty());
}

TEST_CASE("Only errors after which no call succeeds are sticky", "[backend]") {
  STATIC_REQUIRE(is_sticky(cudaErrorIllegalAddress));
  STATIC_REQUIRE(is_sticky(cudaErrorLaunchFailure));
  STATIC_REQUIRE(is_sticky(cudaErrorAssert));
  STATIC_REQUIRE(is_sticky(cudaErrorECCUncorrectable));
  STATIC_REQUIRE(is_sticky(cudaErrorMisalignedAddress));
  STATIC_REQUIRE(is_sticky(cudaErrorLaunchTimeout));
  STATIC_REQUIRE_FALSE(is_sticky(cudaSuccess));
  STATIC_REQUIRE_FALSE(is_sticky(cudaErrorMemoryAllocation));
  STATIC_REQUIRE_FALSE(is_sticky(cudaErrorInvalidValue));
  STATIC_REQUIRE_FALSE(is_sticky(cudaErrorInvalidConfiguration));
  STATIC_REQUIRE_FALSE(is_sticky(cudaErrorNoKernelImageForDevice));
  STATIC_REQUIRE_FALSE(is_sticky(cudaErrorLaunchOutOfResources));
}

TEST_CASE("check lets success pass and throws the line of anything else, with the caller's place", "[backend]") {
  CHECK_NOTHROW(check(cudaSuccess, "anything"));
  CHECK_NOTHROW(check(CUBLAS_STATUS_SUCCESS, "anything"));
  const auto before = std::source_location::current();
  const std::string runtime = error_of([] { check(cudaErrorInvalidValue, "copy"); });
  const std::string blas = error_of([] { check(CUBLAS_STATUS_INVALID_VALUE, "product"); });
  CHECK(contains(runtime, "(cudaErrorInvalidValue, error_test.cpp:" + std::to_string(before.line() + 1) + ")"));
  CHECK(contains(blas, "(CUBLAS_STATUS_INVALID_VALUE, error_test.cpp:" + std::to_string(before.line() + 2) + ")"));
}

}  // namespace
