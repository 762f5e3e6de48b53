// SPDX-License-Identifier: MIT
#include "retort/backend/generic/host_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

using namespace retort;
using backend::HostMemory;

static_assert(HostMemory::host_memory);
static_assert(HostMemory::report_interval == 1);
static_assert(std::is_same_v<HostMemory::Buffer<float>, AlignedBuffer<float>>);

// The operations are found on a backend that derives from it.
struct Device : HostMemory {};

TEMPLATE_TEST_CASE("What is copied in comes out again", "[backend]", float, double, std::uint8_t, std::uint32_t) {
  const Device device;
  for (const std::size_t size : {0u, 1u, 7u, 1000u}) {
    CAPTURE(size);
    std::vector<TestType> values(size);
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = static_cast<TestType>(i % 251 + 1);
    }
    auto buffer = device.allocate<TestType>(size);
    CHECK(buffer.size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % arena_alignment == 0);
    copy_from_host(device, std::span<const TestType>(values), buffer.data());
    std::vector<TestType> back(size);
    copy_to_host(device, std::as_const(buffer).data(), std::span(back));
    CHECK(back == values);
  }
}

TEST_CASE("A part is copied and zeroed without its neighbours", "[backend]") {
  const Device device;
  auto buffer = device.allocate<float>(6);
  copy_from_host(device, std::span<const float>(std::vector<float>{1, 2, 3, 4, 5, 6}), buffer.data());
  fill_zero(device, buffer.data() + 1, 2);
  copy_from_host(device, std::span<const float>(std::vector<float>{-1, -2}), buffer.data() + 4);
  std::vector<float> part(4);
  copy_to_host(device, std::as_const(buffer).data() + 2, std::span(part));
  CHECK(part == std::vector<float>{0, 4, -1, -2});
  CHECK(buffer[0] == 1.0f);
  CHECK(buffer[1] == 0.0f);
  fill_zero(device, buffer.data(), 0);
  CHECK(buffer[0] == 1.0f);
}

TEST_CASE("More memory than there is throws", "[backend]") {
  CHECK_THROWS_AS(Device{}.allocate<double>(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
}

}  // namespace
