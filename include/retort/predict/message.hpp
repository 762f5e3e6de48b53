// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A sentence that says why something failed, for programs without exceptions and without memory to allocate.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One line of ASCII, cut at 399 characters. Text from a file is added by `quote`, or with question marks for all that
/// is not printable.
class Message {
 public:
  bool empty() const { return size_ == 0; }
  std::string_view text() const { return {text_.data(), size_}; }
  const char* c_str() const { return text_.data(); }

  [[gnu::cold]] Message& add(std::string_view part) {
    for (const char letter : part) {
      add(letter);
    }
    return *this;
  }
  [[gnu::cold, gnu::noinline]] Message& add(char letter) {
    if (size_ + 1 < text_.size()) {
      text_[size_++] = letter >= ' ' && letter <= '~' ? letter : '?';
    }
    return *this;
  }
  template <std::unsigned_integral Number>
  [[gnu::cold]] Message& add(Number number) {
    return add_count(number);
  }
  /// With at most six digits after the point.
  [[gnu::cold]] Message& add(double number) {
    if (!(number > -1e9 && number < 1e9)) {
      return add(number < 0 ? "below -1e9" : number > 0 ? "above 1e9" : "nan");
    }
    if (number < 0) {
      add('-');
      number = -number;
    }
    const auto millionths = static_cast<std::uint64_t>(number * 1e6 + 0.5);
    add_count(millionths / 1000000);
    std::uint64_t rest = millionths % 1000000;
    if (rest != 0) {
      add('.');
    }
    for (std::uint64_t place = 100000; rest != 0; rest %= place, place /= 10) {
      add(static_cast<char>('0' + rest / place));
    }
    return *this;
  }

 private:
  [[gnu::cold, gnu::noinline]] Message& add_count(std::uint64_t number) {
    std::array<char, 20> digits{};
    std::size_t first = digits.size();
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add(std::string_view(digits.data() + first, digits.size() - first));
  }

  std::array<char, 400> text_{};  // ends with a zero
  std::size_t size_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
