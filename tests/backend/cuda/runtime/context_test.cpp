// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/context.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <vector>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::test::contains;
using retort::test::error_of;

TEST_CASE("A context is neither copied nor moved", "[backend]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<CudaContext>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<CudaContext>);
  STATIC_REQUIRE(std::is_nothrow_destructible_v<CudaContext>);
}

TEST_CASE("cuBLAS's workspace has the documented size", "[backend]") {
  STATIC_REQUIRE(recommended_workspace(8) == std::size_t{4} << 20);
  STATIC_REQUIRE(recommended_workspace(9) == std::size_t{32} << 20);
  STATIC_REQUIRE(recommended_workspace(10) == std::size_t{32} << 20);
}

TEST_CASE("Without a device a context throws the reason, the hint and the caller's line", "[backend]") {
  if (retort::test::no_cuda_device().empty()) {
    retort::test::skip("there is a CUDA device");
    return;
  }
  const auto where = std::source_location::current();
  const std::string direct = error_of([] { const CudaContext context; });
  const std::string shared = error_of([] { (void)CudaContext::create(); });
  for (const auto& [message, line] : {std::pair{direct, where.line() + 1}, std::pair{shared, where.line() + 2}}) {
    CAPTURE(message);
    CHECK(message.starts_with("CUDA: "));
    CHECK(contains(message, "context_test.cpp:" + std::to_string(line) + ")"));
    CHECK(contains(message, "--backend eigen"));
    CHECK_FALSE(contains(message, "\n"));
  }
  if (survey_devices().driver_version == 0) {
    CHECK(direct.starts_with("CUDA: no NVIDIA driver is installed (cudaErrorInsufficientDriver, "));
  }
}

TEST_CASE("A context's handle works in its stream, exactly and repeatably", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const CudaContext context;
  cudaStream_t stream = nullptr;
  REQUIRE(cublasGetStream(context.blas(), &stream) == CUBLAS_STATUS_SUCCESS);
  CHECK(stream == context.stream());
  CHECK(stream != nullptr);
  cublasMath_t math{};
  REQUIRE(cublasGetMathMode(context.blas(), &math) == CUBLAS_STATUS_SUCCESS);
  CHECK(math == CUBLAS_DEFAULT_MATH);
  cublasAtomicsMode_t atomics{};
  REQUIRE(cublasGetAtomicsMode(context.blas(), &atomics) == CUBLAS_STATUS_SUCCESS);
  CHECK(atomics == CUBLAS_ATOMICS_NOT_ALLOWED);
  CHECK(context.describe("3.0.1").starts_with("Thrust 3.0.1 on CUDA " + version_text(CUDART_VERSION) + ", " +
                                              context.facts().name + " (sm_"));
  CHECK(context.device() == 0);
}

TEST_CASE("A context of a device that there is not, or that is too old, is refused", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const int count = survey_devices().count;
  CHECK(contains(error_of([&] { const CudaContext context(count); }), "CUDA: device " + std::to_string(count) + " ("));
  constexpr std::array unborn{99990};
  CHECK(contains(error_of([&] { const CudaContext context(0, unborn); }), "compiled for sm_9999 and newer"));
}

TEST_CASE("An allocation beyond the device says how much was asked, and changes nothing", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  CudaContext context;
  const std::string pebibyte = error_of([&] { context.allocate(std::size_t{1} << 50); });
  CHECK(pebibyte.starts_with("CUDA: out of memory on device 0, " + context.facts().name + ": 1024.0 TiB asked, "));
  CHECK(contains(pebibyte, " of " + memory_text(context.facts().memory) + " free (cudaErrorMemoryAllocation, "));
  // Not more than the device has, but more than is free.
  CHECK(contains(error_of([&] { context.allocate(context.facts().memory); }),
                 memory_text(context.facts().memory) + " asked, "));
  CHECK(context.usable());
  CHECK_NOTHROW(context.check_launch());
  void* memory = context.allocate(1000);
  CHECK(memory != nullptr);
  context.release(memory);
  CHECK(context.allocate(0) == nullptr);
  context.release(nullptr);
  CHECK_NOTHROW(context.synchronize());
}

TEST_CASE("A context keeps ones, as many as were asked for", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  CudaContext context;
  const auto check = [&]<typename Scalar>(Scalar one, std::size_t count) {
    std::vector<Scalar> values(count, Scalar{7});
    copy_to_host(context, context.ones<Scalar>(count), std::span<Scalar>{values});
    CHECK(values == std::vector<Scalar>(count, one));
  };
  check(1.0f, 3);
  check(1.0, 5);
  check(1.0f, 1000);
  check(1.0f, 2);
  check(1.0, 100);
  CHECK(context.ones<float>(1000) == context.ones<float>(1));
}

TEST_CASE("After a sticky error every operation of a context throws it, and its end does not", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  std::string first;
  {
    CudaContext context;
    auto* values = static_cast<float*>(context.allocate(40));
    first = error_of([&] { context.check(cudaErrorLaunchFailure, "gather of a batch"); });
    CHECK_FALSE(context.usable());
    const std::string later = "unusable since: " + first;
    std::vector<float> host(10);
    CHECK(error_of([&] { context.allocate(4); }) == later);
    CHECK(error_of([&] { context.synchronize(); }) == later);
    CHECK(error_of([&] { fill_zero(context, values, 10); }) == later);
    CHECK(error_of([&] { copy_to_host(context, values, std::span<float>{host}); }) == later);
    CHECK(error_of([&] { (void)context.ones<float>(10); }) == later);
    context.release(values);
  }
  CudaContext another;
  CHECK_NOTHROW(another.synchronize());
}

TEST_CASE("Contexts live side by side, and leave the current device as it was", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const int count = survey_devices().count;
  std::vector<std::shared_ptr<CudaContext>> contexts;
  std::vector<int*> memory;
  constexpr std::size_t size = 1000;
  for (int index = 0; index < 4; ++index) {
    contexts.push_back(CudaContext::create(index % count));
    memory.push_back(static_cast<int*>(contexts.back()->allocate(size * sizeof(int))));
  }
  for (int index = 0; index < 4; ++index) {
    const std::vector<int> values(size, index);
    copy_from_host(*contexts[static_cast<std::size_t>(index)], std::span<const int>{values},
                   memory[static_cast<std::size_t>(index)]);
  }
  for (std::size_t index = 4; index-- > 0;) {
    std::vector<int> values(size, -1);
    copy_to_host<int>(*contexts[index], memory[index], values);
    CHECK(values == std::vector<int>(size, static_cast<int>(index)));
    contexts[index]->release(memory[index]);
    int current = -1;
    REQUIRE(cudaGetDevice(&current) == cudaSuccess);
    CHECK(current == 0);
  }
  CHECK(contexts[0]->stream() != contexts[1]->stream());
}

}  // namespace
