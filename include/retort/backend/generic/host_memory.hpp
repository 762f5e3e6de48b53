// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Memory operations of backends that compute in the host's memory.

#include <algorithm>
#include <cstddef>
#include <span>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// A base for backends whose buffers are in the host's memory: it has all that a backend needs for memory, and how much
/// work suits a host's thread.
struct HostMemory {
  static constexpr bool host_memory = true;
  /// Batches from one report of the running metrics to the next: reading them costs nothing here.
  static constexpr std::size_t report_interval = 1;
  /// Elements that one call of a function object takes: a loop that a compiler can turn into SIMD. A device states 1,
  /// and its neighbouring threads take neighbouring elements.
  static constexpr std::size_t elements_per_call = 1024;
  /// Samples that run through a model together outside of training.
  static constexpr std::size_t inference_batch = 256;

  template <typename T>
  using Buffer = AlignedBuffer<T>;

  /// Contents are undefined. Throws std::bad_alloc.
  template <typename T>
  Buffer<T> allocate(std::size_t count) const {
    return AlignedBuffer<T>::uninitialized(count);
  }
};

template <typename T>
void copy_to_host(const HostMemory&, const T* from, std::span<T> to) {
  std::copy_n(from, to.size(), to.data());
}

template <typename T>
void copy_from_host(const HostMemory&, std::span<const T> from, T* to) {
  std::copy_n(from.data(), from.size(), to);
}

template <typename T>
void fill_zero(const HostMemory&, T* values, std::size_t count) {
  std::fill_n(values, count, T{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
