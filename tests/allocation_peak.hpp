// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Measures the most memory that was held at once, of what the program takes by operator new. Include in one file of a
/// program. Under a sanitizer, which has an operator new of its own, and on other C libraries nothing is measured.

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "sanitized.hpp"

#if RETORT_TEST_SANITIZED || !defined(__GLIBC__)
#define RETORT_TEST_MEASURES_PEAKS 0
#else
#define RETORT_TEST_MEASURES_PEAKS 1
#endif

namespace retort::test {

inline constexpr bool measures_peaks = RETORT_TEST_MEASURES_PEAKS == 1;
inline std::atomic<std::size_t> bytes_held{0};
inline std::atomic<std::size_t> most_held{0};

/// Bytes that `function` held at once beyond those held before. Precondition: no other thread allocates.
template <typename Function>
std::size_t peak_of(const Function& function) {
  const std::size_t before = bytes_held;
  most_held = before;
  function();
  return most_held - before;
}

}  // namespace retort::test

#if RETORT_TEST_MEASURES_PEAKS

#include <malloc.h>

namespace retort::test {

inline void* counted(void* memory) {
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  const std::size_t held = bytes_held += malloc_usable_size(memory);
  if (held > most_held) {
    most_held = held;
  }
  return memory;
}

inline void release(void* memory) {
  bytes_held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace retort::test

void* operator new(std::size_t size) { return retort::test::counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto bytes = static_cast<std::size_t>(alignment);
  return retort::test::counted(std::aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes));
}
void operator delete(void* memory) noexcept { retort::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { retort::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { retort::test::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { retort::test::release(memory); }

#endif
