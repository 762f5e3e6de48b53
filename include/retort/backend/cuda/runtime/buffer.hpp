// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An array on the device.

#include <cstddef>
#include <limits>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/copy.hpp"
#include "retort/backend/cuda/runtime/error.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

/// The bytes of `count` elements of T. Throws DeviceError where no pointer could reach them.
template <typename T>
std::size_t byte_count(std::size_t count, const std::source_location& where = std::source_location::current()) {
  if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
    throw DeviceError("CUDA: out of memory: " + std::to_string(count) + " elements of " + memory_text(sizeof(T)) +
                      " asked, more than any memory holds (" + detail::place(where) + "); use a smaller batch, or " +
                      std::string{another_backend});
  }
  return count * sizeof(T);
}

/// A fixed number of trivially copyable elements in a context's memory, 256-byte aligned, contents undefined until they
/// are written. Allocated, used and freed in the order of the context's stream; keeps the context alive. Copies are
/// deep, and stay on the device.
template <typename T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>, "retort: a DeviceBuffer holds trivially copyable elements only");

 public:
  /// Empty, of no context.
  DeviceBuffer() = default;
  /// Precondition: `context` is not null. Throws DeviceError.
  DeviceBuffer(std::shared_ptr<CudaContext> context, std::size_t size,
               const std::source_location& where = std::source_location::current())
      : context_(std::move(context)),
        data_(static_cast<T*>(context_->allocate(byte_count<T>(size, where), where))),
        size_(size) {}
  /// Throws DeviceError.
  DeviceBuffer(const DeviceBuffer& other) {
    if (other.context_ != nullptr) {
      DeviceBuffer copy(other.context_, other.size_);
      copy_on_device(*copy.context_, other.data_, copy.data_, other.size_);
      swap(copy);
    }
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceBuffer() {
    if (context_ != nullptr) {
      context_->release(data_);
    }
  }

  std::size_t size() const { return size_; }
  T* data() { return data_; }
  const T* data() const { return data_; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  std::shared_ptr<CudaContext> context_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
