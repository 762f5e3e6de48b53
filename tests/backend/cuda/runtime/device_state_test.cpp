// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/device_state.hpp"

#include <string>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"

namespace {

using retort::backend::cuda::DeviceState;
using retort::test::contains;
using retort::test::error_of;

TEST_CASE("A device that made an ordinary error stays usable", "[backend]") {
  DeviceState state;
  CHECK_NOTHROW(state.check(cudaSuccess, "copy"));
  CHECK_NOTHROW(state.check(CUBLAS_STATUS_SUCCESS, "product"));
  CHECK(contains(error_of([&] { state.check(cudaErrorMemoryAllocation, "allocation"); }), "CUDA: allocation: "));
  CHECK(contains(error_of([&] { state.check(CUBLAS_STATUS_INVALID_VALUE, "product"); }), "cuBLAS: product: "));
  CHECK(state.usable());
  CHECK_NOTHROW(state.require_usable());
  CHECK_NOTHROW(state.check(cudaSuccess, "copy"));
}

TEST_CASE("After a sticky error everything tells the first one", "[backend]") {
  DeviceState state;
  const std::string first = error_of([&] { state.check(cudaErrorIllegalAddress, "sum of losses"); });
  CHECK(contains(first, "CUDA: sum of losses: "));
  CHECK(contains(first, "device_state_test.cpp:"));
  CHECK_FALSE(state.usable());
  const std::string later = "unusable since: " + first;
  CHECK(error_of([&] { state.require_usable(); }) == later);
  CHECK(error_of([&] { state.check(cudaErrorLaunchFailure, "another"); }) == later);
  CHECK(error_of([&] { state.check(CUBLAS_STATUS_EXECUTION_FAILED, "another"); }) == later);
  CHECK(error_of([&] { state.require_usable(); }) == later);
}

TEST_CASE("check_launch throws where nothing can be launched", "[backend]") {
  if (retort::test::no_cuda_device().empty()) {
    retort::test::skip("there is a CUDA device");
    return;
  }
  // Every call gives the reason, also the one for the last error.
  CHECK(contains(error_of([] { DeviceState().check_launch(); }), "CUDA: launch of device_state_test: "));
}

TEST_CASE("check_launch throws the last error once, and check leaves none behind", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  (void)cudaGetLastError();
  REQUIRE(cudaSetDevice(-1) != cudaSuccess);
  CHECK(contains(error_of([] { DeviceState().check_launch(); }), "CUDA: launch of device_state_test: "));
  CHECK_NOTHROW(DeviceState().check_launch());

  const cudaError_t status = cudaSetDevice(-1);
  REQUIRE(cudaPeekAtLastError() != cudaSuccess);
  CHECK_THROWS_AS(DeviceState().check(status, "choice"), retort::DeviceError);
  CHECK_NOTHROW(DeviceState().check_launch());
}

}  // namespace
