// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A 64-bit fingerprint of bytes: tells whether a checkpoint or a table of logits belongs to the data and settings at
/// hand.

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv). It finds mistakes, not forgeries. Only the bytes count,
/// in the order added: if the boundary between two spans matters, add their sizes too.
class Fingerprint {
 public:
  Fingerprint& add(std::span<const std::byte> bytes) {
    // Pointers, since a span's iterators take ten times as long in unoptimised code.
    std::uint64_t value = value_;
    const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
    for (const unsigned char* byte = begin; byte != begin + bytes.size(); ++byte) {
      value = (value ^ *byte) * 0x100000001B3u;
    }
    value_ = value;
    return *this;
  }

  /// Adds the values' bytes as they lie in memory.
  template <typename T>
  Fingerprint& add(std::span<const T> values) {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::has_unique_object_representations_v<T>,
                  "retort::Fingerprint: padding bytes have no fixed value");
    return add(std::as_bytes(values));
  }

  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
