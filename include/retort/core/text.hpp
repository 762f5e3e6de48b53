// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Numbers as text that reads back to the same bits, for checkpoints, logs and messages, independent of the locale.

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// Room for any number: the longest double, -2.2250738585072014e-308, has 24 characters.
using Digits = std::array<char, 32>;

// Each of these functions is compiled once, however often numbers are written.
[[gnu::cold, gnu::noinline]] inline std::string_view write_number(Digits& digits, float value) {
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general).ptr};
}
[[gnu::cold, gnu::noinline]] inline std::string_view write_number(Digits& digits, double value) {
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general).ptr};
}
[[gnu::cold, gnu::noinline]] inline std::string_view write_number(Digits& digits, long long value) {
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}
[[gnu::cold, gnu::noinline]] inline std::string_view write_number(Digits& digits, unsigned long long value) {
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}

}  // namespace detail

/// A part of a text: characters, which must outlive it, or a number. Numbers are the shortest decimals that read back
/// to the same bits: "0.0002", "1e-08", "inf", "nan". Finite ones are JSON numbers.
class TextPart {
 public:
  TextPart(std::string_view text) : text_(text) {}
  TextPart(const char* text) : text_(text) {}
  TextPart(const std::string& text) : text_(text) {}
  TextPart(bool value) : text_(value ? "true" : "false") {}
  TextPart(float value) : text_(detail::write_number(digits_, value)) {}
  TextPart(double value) : text_(detail::write_number(digits_, value)) {}
  TextPart(char letter) : text_(digits_.data(), 1) { digits_[0] = letter; }
  template <std::integral Number>
  TextPart(Number value)
      : text_(detail::write_number(
            digits_, static_cast<std::conditional_t<std::is_signed_v<Number>, long long, unsigned long long>>(value))) {
  }

  TextPart(const TextPart&) = delete;  // its text may be its own digits
  TextPart& operator=(const TextPart&) = delete;

  std::string_view text() const { return text_; }

 private:
  detail::Digits digits_;  // NOLINT(cppcoreguidelines-pro-type-member-init): written where there is a number
  std::string_view text_;
};

/// The parts one after another: `concatenate({"step ", step, " of ", steps})`. A chain of `+` would be compiled again
/// at each place.
[[gnu::cold, gnu::noinline]] inline std::string concatenate(std::initializer_list<TextPart> parts) {
  std::size_t size = 0;
  for (const TextPart& part : parts) {
    size += part.text().size();
  }
  std::string text;
  text.reserve(size);
  for (const TextPart& part : parts) {
    text.append(part.text());
  }
  return text;
}

[[gnu::cold, gnu::noinline]] inline std::string to_text(const TextPart& part) { return std::string(part.text()); }

}  // namespace retort::inline RETORT_INSTRUCTION_SET
