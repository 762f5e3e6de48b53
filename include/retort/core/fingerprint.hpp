#pragma once
/// @file
/// A 64-bit fingerprint of bytes: tells whether a checkpoint or a table of logits belongs to the data and settings at
/// hand.

#include <cstddef>
#include <cstdint>
#include <span>

namespace retort {

/// FNV-1a with 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv). It finds mistakes, not forgeries.
class Fingerprint {
 public:
  Fingerprint& add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
      value_ = (value_ ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001B3u;
    }
    return *this;
  }

  template <typename T>
  Fingerprint& add(std::span<const T> values) {
    return add(std::as_bytes(values));
  }

  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325u;
};

}  // namespace retort
