// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Counts what is taken from the heap by any thread, through operator new or C: the program's own malloc and its kin
/// stand before glibc's (but posix_memalign, which neither the standard library nor Eigen calls). Include in one file
/// of a program. Under a sanitizer, which does the same for its own ends, and on other C libraries nothing is counted.

#include <stdlib.h>

#include <atomic>
#include <cstddef>

#include "sanitized.hpp"

#if RETORT_TEST_SANITIZED || !defined(__GLIBC__)
#define RETORT_TEST_COUNTS_ALLOCATIONS 0
#else
#define RETORT_TEST_COUNTS_ALLOCATIONS 1
#endif

namespace retort::test {

inline constexpr bool counts_allocations = RETORT_TEST_COUNTS_ALLOCATIONS == 1;
inline std::atomic<std::size_t> allocations{0};

}  // namespace retort::test

#if RETORT_TEST_COUNTS_ALLOCATIONS

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
  ++retort::test::allocations;
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  ++retort::test::allocations;
  return __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) noexcept {
  ++retort::test::allocations;
  return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  ++retort::test::allocations;
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  ++retort::test::allocations;
  return __libc_memalign(alignment, size);
}

}  // extern "C"

#endif
