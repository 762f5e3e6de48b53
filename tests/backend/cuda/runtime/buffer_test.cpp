// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/runtime/buffer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/cuda/runtime/cuda_device.hpp"
#include "catch.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"

namespace {

using namespace retort::backend::cuda;
using retort::test::contains;
using retort::test::error_of;

template <typename T>
std::vector<T> counted(std::size_t size, std::size_t first) {
  std::vector<T> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] = static_cast<T>((first + i) % 251);
  }
  return values;
}

template <typename T>
DeviceBuffer<T> on_device(const std::shared_ptr<CudaContext>& context, const std::vector<T>& values) {
  DeviceBuffer<T> buffer(context, values.size());
  copy_from_host(*context, std::span<const T>{values}, buffer.data());
  return buffer;
}

template <typename T>
std::vector<T> on_host(CudaContext& context, const DeviceBuffer<T>& buffer) {
  std::vector<T> values(buffer.size());
  copy_to_host(context, buffer.data(), std::span<T>{values});
  return values;
}

TEST_CASE("A number of elements that no memory holds is refused and does not wrap around", "[backend]") {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  CHECK(byte_count<double>(most / 8) == most / 8 * 8);
  CHECK(byte_count<char>(most) == most);
  CHECK(byte_count<float>(0) == 0);
  // Times 8 bytes, the first of these would wrap to 0.
  for (const std::size_t count : {most / 8 + 1, most / 8 + 2, most}) {
    const std::string message = error_of([&] { (void)byte_count<double>(count); });
    CHECK(message.starts_with("CUDA: out of memory: " + std::to_string(count) +
                              " elements of 8 bytes asked, more than any memory holds (buffer_test.cpp:"));
    CHECK(contains(message, "--backend eigen"));
  }
}

TEST_CASE("A buffer of nothing needs no device", "[backend]") {
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<DeviceBuffer<float>>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<DeviceBuffer<float>>);
  const DeviceBuffer<float> none;
  const DeviceBuffer<float> copy(none);
  DeviceBuffer<float> assigned;
  assigned = copy;
  for (const DeviceBuffer<float>* buffer : {&none, &copy, &std::as_const(assigned)}) {
    CHECK(buffer->size() == 0);
    CHECK(buffer->data() == nullptr);
  }
}

TEMPLATE_TEST_CASE("What a buffer was given comes back", "[backend][device]", float, double, std::uint8_t,
                   std::uint32_t) {
  RETORT_REQUIRE_CUDA_DEVICE();
  const auto context = CudaContext::create();
  for (const std::size_t size : {1u, 3u, 1000u, 100'003u}) {
    CAPTURE(size);
    const auto values = counted<TestType>(size, 5);
    DeviceBuffer<TestType> buffer = on_device(context, values);
    CHECK(buffer.size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 256 == 0);
    CHECK(on_host(*context, buffer) == values);

    // A part, which neither begins nor ends where the buffer does.
    const std::size_t from = 1;
    const std::size_t to = size / 2;
    auto expected = values;
    for (std::size_t i = from; i < to; ++i) {
      expected[i] = TestType{0};
    }
    fill_zero(*context, buffer.data() + from, to > from ? to - from : 0);
    CHECK(on_host(*context, buffer) == expected);
    fill_zero(*context, buffer.data(), size);
    CHECK(on_host(*context, buffer) == std::vector<TestType>(size));
  }
}

TEST_CASE("A source on the host may be reused at once", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const auto context = CudaContext::create();
  constexpr std::size_t size = 1'000'003;
  // Pinned memory, which the device reads without a copy in between.
  void* pinned = nullptr;
  REQUIRE(cudaMallocHost(&pinned, size * sizeof(int)) == cudaSuccess);
  const std::unique_ptr<void, cudaError_t (*)(void*)> owner(pinned, &cudaFreeHost);
  const std::span<int> source(static_cast<int*>(pinned), size);
  std::ranges::fill(source, 1);
  DeviceBuffer<int> buffer(context, size);
  copy_from_host(*context, std::span<const int>{source}, buffer.data());
  std::ranges::fill(source, 2);
  CHECK(on_host(*context, buffer) == std::vector<int>(size, 1));
}

TEST_CASE("Copies of a buffer are deep", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const auto context = CudaContext::create();
  const auto values = counted<int>(1000, 0);
  DeviceBuffer<int> original = on_device(context, values);
  const DeviceBuffer<int> copy(original);
  DeviceBuffer<int> assigned(context, 3);
  assigned = original;
  const DeviceBuffer<int>& itself = assigned;
  assigned = itself;
  CHECK(copy.data() != original.data());
  CHECK(assigned.data() != original.data());
  fill_zero(*context, original.data(), original.size());
  CHECK(on_host(*context, copy) == values);
  CHECK(on_host(*context, assigned) == values);
  CHECK(on_host(*context, original) == std::vector<int>(1000));
}

TEST_CASE("Moves keep a buffer's memory and leave nothing behind", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  const auto context = CudaContext::create();
  const auto values = counted<int>(10, 0);
  DeviceBuffer<int> source = on_device(context, values);
  const int* const memory = source.data();
  DeviceBuffer<int> moved(std::move(source));
  CHECK(moved.data() == memory);
  CHECK(source.size() == 0);  // NOLINT(bugprone-use-after-move): the moved-from state is what is tested
  CHECK(source.data() == nullptr);
  DeviceBuffer<int> target(context, 100);
  target = std::move(moved);
  CHECK(target.data() == memory);
  CHECK(on_host(*context, target) == values);
}

TEST_CASE("A buffer keeps its context alive, and an empty one of a context is empty", "[backend][device]") {
  RETORT_REQUIRE_CUDA_DEVICE();
  auto context = CudaContext::create();
  CudaContext& still_there = *context;
  const auto values = counted<float>(100, 1);
  DeviceBuffer<float> buffer = on_device(context, values);
  const DeviceBuffer<float> empty(context, 0);
  CHECK(empty.size() == 0);
  CHECK(empty.data() == nullptr);
  const DeviceBuffer<float> copy_of_empty(empty);
  CHECK(copy_of_empty.data() == nullptr);
  context.reset();
  CHECK(on_host(still_there, buffer) == values);
  // Of another context: the former memory goes back to the former context, which ends with it.
  const auto other = CudaContext::create();
  buffer = on_device(other, counted<float>(5, 2));
  CHECK(on_host(*other, buffer) == counted<float>(5, 2));
}

}  // namespace
