// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Memory that a thread works in.

#include <cstddef>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Memory that a thread keeps for itself and never gives back; grows to the largest size asked for. Contents are
/// undefined. `Tag` separates uses that are alive at the same time.
template <typename Scalar, typename Tag>
Scalar* thread_scratch(std::size_t size) {
  thread_local AlignedBuffer<Scalar> buffer;
  if (buffer.size() < size) {
    buffer = AlignedBuffer<Scalar>(size);
  }
  return buffer.data();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
