// SPDX-License-Identifier: MIT
#include "retort/core/aligned_buffer.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "catch.hpp"

using retort::AlignedBuffer;
using retort::arena_alignment;
using retort::internal::aligned_count;

TEST_CASE("aligned_count is the next multiple of 64 bytes") {
  STATIC_REQUIRE(aligned_count<float>(0) == 0);
  STATIC_REQUIRE(aligned_count<float>(1) == 16);
  STATIC_REQUIRE(aligned_count<float>(16) == 16);
  STATIC_REQUIRE(aligned_count<float>(17) == 32);
  STATIC_REQUIRE(aligned_count<double>(1) == 8);
  STATIC_REQUIRE(aligned_count<std::byte>(65) == 128);
  for (std::size_t count = 0; count < 1000; ++count) {
    const std::size_t rounded = aligned_count<float>(count);
    REQUIRE(rounded % 16 == 0);
    REQUIRE(rounded >= count);
    REQUIRE(rounded - count < 16);
  }
}

TEMPLATE_TEST_CASE("a buffer is aligned and zero", "", float, double, std::uint8_t, std::uint32_t) {
  for (const std::size_t size : {1u, 3u, 16u, 1000u, 100003u}) {
    const AlignedBuffer<TestType> buffer(size);
    REQUIRE(buffer.size() == size);
    REQUIRE(reinterpret_cast<std::uintptr_t>(buffer.data()) % arena_alignment == 0);
    REQUIRE(buffer.span().data() == buffer.data());
    REQUIRE(buffer.span().size() == size);
    for (std::size_t index = 0; index < size; ++index) {
      REQUIRE(buffer[index] == TestType{});
    }
  }
}

TEST_CASE("copies are deep") {
  AlignedBuffer<int> original(3);
  original[1] = 5;
  AlignedBuffer<int> copy(original);
  REQUIRE(copy.size() == 3);
  REQUIRE(copy[1] == 5);
  REQUIRE(copy.data() != original.data());
  copy[1] = 6;
  REQUIRE(original[1] == 5);

  AlignedBuffer<int> assigned(10);
  assigned = original;
  REQUIRE(assigned.size() == 3);
  REQUIRE(assigned[1] == 5);
  REQUIRE(assigned.data() != original.data());

  const AlignedBuffer<int>& itself = assigned;
  assigned = itself;
  REQUIRE(assigned.size() == 3);
  REQUIRE(assigned[1] == 5);
}

TEST_CASE("moves keep the memory and leave nothing behind") {
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<AlignedBuffer<float>>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<AlignedBuffer<float>>);
  AlignedBuffer<int> source(3);
  source[2] = 7;
  const int* const memory = source.data();
  AlignedBuffer<int> moved(std::move(source));
  REQUIRE(moved.data() == memory);
  REQUIRE(moved[2] == 7);
  REQUIRE(source.size() == 0);  // NOLINT(bugprone-use-after-move): the moved-from state is what is tested
  REQUIRE(source.data() == nullptr);

  AlignedBuffer<int> target(100);
  target = std::move(moved);
  REQUIRE(target.data() == memory);
  REQUIRE(target.size() == 3);
  target = AlignedBuffer<int>(2);
  REQUIRE(target.size() == 2);
  REQUIRE(target[1] == 0);
}

TEST_CASE("an empty buffer owns nothing") {
  const AlignedBuffer<double> none;
  const AlignedBuffer<double> zero(0);
  const AlignedBuffer<double> copy(zero);
  for (const AlignedBuffer<double>* buffer : {&none, &zero, &copy}) {
    REQUIRE(buffer->size() == 0);
    REQUIRE(buffer->data() == nullptr);
    REQUIRE(buffer->span().empty());
  }
}

TEST_CASE("a size beyond memory throws and does not wrap around") {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  // Times 8 bytes, each of these would wrap to a small number.
  CHECK_THROWS_AS(AlignedBuffer<double>(most / 8 + 1), std::bad_alloc);
  CHECK_THROWS_AS(AlignedBuffer<double>(most / 8 + 2), std::bad_alloc);
  CHECK_THROWS_AS(AlignedBuffer<double>(most), std::bad_alloc);
  CHECK_THROWS_AS(AlignedBuffer<double>::uninitialized(most / 8 + 1), std::bad_alloc);
  CHECK_THROWS_AS(AlignedBuffer<double>::uninitialized(most), std::bad_alloc);
}

TEMPLATE_TEST_CASE("an uninitialized buffer is one in everything but its first values", "", float, double, std::uint8_t,
                   std::uint32_t) {
  for (const std::size_t size : {1u, 3u, 1000u}) {
    auto buffer = AlignedBuffer<TestType>::uninitialized(size);
    REQUIRE(buffer.size() == size);
    REQUIRE(reinterpret_cast<std::uintptr_t>(buffer.data()) % arena_alignment == 0);
    for (std::size_t index = 0; index < size; ++index) {
      buffer[index] = static_cast<TestType>(index % 200);
    }
    const AlignedBuffer<TestType> copy = buffer;
    REQUIRE(copy.data() != buffer.data());
    for (std::size_t index = 0; index < size; ++index) {
      REQUIRE(copy[index] == static_cast<TestType>(index % 200));
    }
  }
  CHECK(AlignedBuffer<TestType>::uninitialized(0).data() == nullptr);
}
