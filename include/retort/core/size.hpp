// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Counts of 64 bits as std::size_t.

#include <concepts>
#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// `count` as std::size_t. Precondition: it fits. A cast in place would be useless, and compilers warn of it, wherever
/// the two are one type.
template <std::unsigned_integral Count>
RETORT_HOST_DEVICE constexpr std::size_t to_size(Count count) {
  return static_cast<std::size_t>(count);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
