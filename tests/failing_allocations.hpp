// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Memory that runs out when a test wants it to: every form of operator new of the program. Include in one file of a
/// program.

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace retort::test {

/// How many allocations succeed before one fails; negative where none does.
inline std::atomic<long> successes_left{-1};
/// Whether those after it fail too.
inline std::atomic<bool> stays_out{false};

inline void* allocate_or_null(std::size_t size, std::size_t alignment) noexcept {
  if (successes_left.load(std::memory_order_relaxed) >= 0 && successes_left.fetch_sub(1) == 0) {
    if (stays_out) {
      successes_left = 0;
    }
    return nullptr;
  }
  if (alignment <= alignof(std::max_align_t)) {
    return std::malloc(size == 0 ? 1 : size);
  }
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

inline void* allocate(std::size_t size, std::size_t alignment) {
  void* const memory = allocate_or_null(size, alignment);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

}  // namespace retort::test

// All of them, also those that forward to others by default: under a sanitizer they do not.
[[gnu::noinline]] void* operator new(std::size_t size) { return retort::test::allocate(size, 1); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return retort::test::allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return retort::test::allocate_or_null(size, 1);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return retort::test::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void* operator new[](std::size_t size) { return retort::test::allocate(size, 1); }
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment) {
  return retort::test::allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return retort::test::allocate_or_null(size, 1);
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return retort::test::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
