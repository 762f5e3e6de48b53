// SPDX-License-Identifier: MIT
#include "../benchmarks/device_timer.hpp"

#include <cstddef>
#include <string>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/runtime/buffer.hpp"
#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::benchmarks::DeviceTimer;
using retort::test::contains;
using retort::test::error_of;

TEST_CASE("A timer measures the device's work between start and stop", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const auto context = CudaContext::create();
  DeviceTimer timer(context);
  DeviceBuffer<std::byte> buffer(context, std::size_t{64} << 20);
  const auto time = [&](int fills) {
    timer.start();
    for (int fill = 0; fill < fills; ++fill) {
      fill_zero(*context, buffer.data(), buffer.size());
    }
    timer.stop();
    return timer.milliseconds();
  };
  (void)time(1);
  const double few = time(2);
  const double many = time(200);
  CHECK(few > 0.0);
  CHECK(many > 10.0 * few);
}

TEST_CASE("A timer that was not started or stopped cannot be read", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const auto context = CudaContext::create();
  DeviceTimer timer(context);
  CHECK(contains(error_of([&] { (void)timer.milliseconds(); }), "CUDA: reading of the timer: "));
  timer.start();
  CHECK(contains(error_of([&] { (void)timer.milliseconds(); }), "CUDA: reading of the timer: "));
  timer.stop();
  CHECK_NOTHROW(timer.milliseconds());
}

}  // namespace
