// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Memory for arenas: 64-byte aligned, sized once, zeroed once.

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Every arena, and every tensor inside one, begins at a multiple of so many bytes: a cache line, and the widest SIMD
/// register.
inline constexpr std::size_t arena_alignment = 64;

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// `count` rounded up so that the next tensor of `Scalar` in an arena begins on `arena_alignment`.
template <typename Scalar>
constexpr std::size_t aligned_count(std::size_t count) {
  static_assert(arena_alignment % sizeof(Scalar) == 0, "retort: a scalar's size divides 64");
  constexpr std::size_t step = arena_alignment / sizeof(Scalar);
  return (count + step - 1) / step * step;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A fixed number of trivially copyable elements, aligned to `arena_alignment` and zero-initialised unless asked
/// otherwise. Copies are deep.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>, "retort::AlignedBuffer holds trivially copyable elements only");
  static_assert(alignof(T) <= arena_alignment, "retort::AlignedBuffer aligns to 64 bytes and no more");

 public:
  AlignedBuffer() = default;
  /// Throws std::bad_alloc, as OutOfMemoryError with the size, where there is not enough memory.
  explicit AlignedBuffer(std::size_t size) : AlignedBuffer(uninitialized(size)) {
    std::uninitialized_fill_n(data(), size, T{});
  }
  /// Memory whose first values the caller writes. Throws std::bad_alloc.
  static AlignedBuffer uninitialized(std::size_t size) {
    AlignedBuffer buffer;
    buffer.data_ = allocate(size);
    buffer.size_ = size;
    return buffer;
  }
  AlignedBuffer(const AlignedBuffer& other) : size_(other.size_), data_(allocate(other.size_)) {
    std::uninitialized_copy_n(other.data(), size_, data());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
  AlignedBuffer& operator=(AlignedBuffer other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~AlignedBuffer() = default;

  std::size_t size() const { return size_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }
  T& operator[](std::size_t index) { return data_.get()[index]; }
  const T& operator[](std::size_t index) const { return data_.get()[index]; }

 private:
  struct Release {
    void operator()(T* memory) const { ::operator delete(memory, std::align_val_t{arena_alignment}); }
  };

  [[gnu::noinline]] static std::unique_ptr<T[], Release> allocate(std::size_t size) {
    if (size == 0) {
      return nullptr;
    }
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    void* const memory = ::operator new(size * sizeof(T), std::align_val_t{arena_alignment}, std::nothrow);
    if (memory == nullptr) {
      throw OutOfMemoryError("", size * sizeof(T));
    }
    return std::unique_ptr<T[], Release>(static_cast<T*>(memory));
  }

  std::size_t size_ = 0;
  std::unique_ptr<T[], Release> data_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
