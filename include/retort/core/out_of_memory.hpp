// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An exception that says in a sentence which memory could not be had.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

#include "retort/core/instruction_set.hpp"

namespace retort {  // for every instruction set

/// Memory that could not be allocated: `what()` is "PURPOSE: SIZE could not be allocated", such as "logits of 60000
/// samples: 2.3 MiB could not be allocated", or "PURPOSE: out of memory" if the size is not known. Not derived from
/// Error: it is a std::bad_alloc, and is caught as one. It allocates nothing.
class [[gnu::visibility("default")]] OutOfMemoryError : public std::bad_alloc {
 public:
  /// A `purpose` longer than 150 bytes loses its end; an empty one is unknown, and `what()` then says "memory". `bytes`
  /// is 0 if it is not known.
  RETORT_ERROR_CONSTRUCTOR OutOfMemoryError(std::string_view purpose, std::size_t bytes) noexcept
      : bytes_(bytes), has_purpose_(!purpose.empty()) {
    if (purpose.empty()) {
      purpose = "memory";
    }
    const std::size_t length = std::min(purpose.size(), longest_purpose);
    std::memcpy(text_.data(), purpose.data(), length);
    char* const rest = text_.data() + length;
    const std::size_t room = text_.size() - length;
    if (bytes == 0) {
      std::snprintf(rest, room, ": out of memory");
      return;
    }
    static constexpr std::array<const char*, 7> units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; amount >= 1024.0 && unit + 1 < units.size(); ++unit) {
      amount /= 1024.0;
    }
    std::snprintf(rest, room, ": %.*f %s could not be allocated", unit == 0 ? 0 : 1, amount, units[unit]);
  }

  const char* what() const noexcept override { return text_.data(); }
  std::size_t bytes() const noexcept { return bytes_; }
  bool has_purpose() const noexcept { return has_purpose_; }

 private:
  static constexpr std::size_t longest_purpose = 150;

  std::array<char, 200> text_{};
  std::size_t bytes_;
  bool has_purpose_;
};

}  // namespace retort

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Calls `allocate` and returns its result. If it runs out of memory, throws OutOfMemoryError with `purpose` and
/// `bytes`, as far as the exception does not tell them by itself.
template <typename Allocate>
decltype(auto) allocate_for(std::string_view purpose, std::size_t bytes, const Allocate& allocate) {
  try {
    return allocate();
  } catch (const OutOfMemoryError& error) {
    if (error.has_purpose()) {
      throw;
    }
    throw OutOfMemoryError(purpose, error.bytes() != 0 ? error.bytes() : bytes);
  } catch (const std::bad_alloc&) {
    throw OutOfMemoryError(purpose, bytes);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
