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

}  // namespace
