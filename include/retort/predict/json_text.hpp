// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// JSON (RFC 8259) as it stands in a safetensors file's header, read where it lies: nothing is copied, allocated or
/// thrown. A string in it may be JSON itself, and is read through its escapes.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/predict/decimal.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// The characters of a text, one after another. At depth n it is the contents of a JSON string that stands in a text
/// of depth n - 1: characters are then read through its escapes. A character is a byte, or `escaped` and the UTF-16
/// unit of an escape beyond ASCII.
class JsonCharacters {
 public:
  static constexpr int end = -1;
  static constexpr int invalid = -2;
  static constexpr int escaped = 0x10000;

  JsonCharacters() = default;
  JsonCharacters(std::string_view text, int depth) : rest_(text), depth_(depth) {}

  [[gnu::cold]] int next() { return next(depth_); }
  int peek() const { return JsonCharacters(*this).next(); }
  int depth() const { return depth_; }
  /// What has not been read, as it stands in the outermost text.
  std::string_view rest() const { return rest_; }

  /// Whether the rest is this text; reads it, or a part of it.
  [[gnu::cold]] bool take(std::string_view text) {
    for (const char letter : text) {
      if (next() != static_cast<unsigned char>(letter)) {
        return false;
      }
    }
    return true;
  }
  friend bool operator==(JsonCharacters characters, std::string_view text) {
    return characters.take(text) && characters.next() == end;
  }

 private:
  [[gnu::cold, gnu::noinline]] int next(int depth) {  // NOLINT(misc-no-recursion): as deep as texts stand in texts, 2
    if (depth == 0) {
      if (rest_.empty()) {
        return end;
      }
      const auto letter = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      return letter;
    }
    const int letter = next(depth - 1);
    if (letter != '\\') {
      return letter >= 0 && letter < ' ' ? invalid : letter;
    }
    const int name = next(depth - 1);
    if (name == 'u') {
      int code = 0;
      for (int digit = 0; digit < 4; ++digit) {
        const int value = hexadecimal(next(depth - 1));
        if (value < 0) {
          return invalid;
        }
        code = code * 16 + value;
      }
      return code < 128 ? code : escaped + code;
    }
    constexpr std::string_view names = "\"\\/bfnrt";
    const std::size_t place = name < 0 || name > 127 ? std::string_view::npos : names.find(static_cast<char>(name));
    return place == std::string_view::npos ? invalid : "\"\\/\b\f\n\r\t"[place];
  }

  static int hexadecimal(int letter) {
    const bool is_digit = letter >= '0' && letter <= '9';
    const int lower = letter | 0x20;
    return is_digit ? letter - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }

  std::string_view rest_;
  int depth_ = 0;
};

/// A position in a JSON text. Each function is false unless what it takes comes next; a reader then gives up.
class JsonText {
 public:
  explicit JsonText(JsonCharacters characters) : at_(characters) {}

  /// What has not been read.
  const JsonCharacters& characters() const { return at_; }

  /// Only spaces are left.
  [[gnu::cold]] bool end() {
    skip_space();
    return at_.peek() == JsonCharacters::end;
  }

  [[gnu::cold, gnu::noinline]] bool take(char letter) {
    skip_space();
    if (at_.peek() != letter) {
      return false;
    }
    at_.next();
    return true;
  }

  /// A string; `contents` are its characters.
  [[gnu::cold]] bool string(JsonCharacters& contents) {
    if (!take('"')) {
      return false;
    }
    const std::string_view all = at_.rest();
    std::size_t size = 0;
    for (int letter = at_.next(); letter != '"'; letter = at_.next()) {
      if (letter < ' ' || (letter == '\\' && at_.next() < 0)) {
        return false;
      }
      size = all.size() - at_.rest().size();
    }
    contents = JsonCharacters({all.data(), size}, at_.depth() + 1);
    for (JsonCharacters left = contents;;) {
      if (const int letter = left.next(); letter < 0) {
        return letter == JsonCharacters::end;
      }
    }
  }

  /// A number of at most 19 digits, not counting zeros before them, as the nearest double.
  [[gnu::cold]] bool number(double& value) {
    std::uint64_t digits = 0;
    skip_space();
    const bool negative = at_.peek() == '-';
    if (negative) {
      at_.next();
    }
    int exponent = 0;
    if (at_.peek() == '0') {
      at_.next();
    } else if (!take_digits(digits, nullptr)) {
      return false;
    }
    if (at_.peek() == '.') {
      at_.next();
      if (!take_digits(digits, &exponent)) {
        return false;
      }
    }
    if ((at_.peek() | 0x20) == 'e') {
      at_.next();
      const int sign = at_.peek();
      if (sign == '+' || sign == '-') {
        at_.next();
      }
      std::uint64_t power = 0;
      if (!take_digits(power, nullptr) || power > 1000) {
        return false;
      }
      exponent += sign == '-' ? -static_cast<int>(power) : static_cast<int>(power);
    }
    if (!nearest_double(digits, exponent, value)) {
      return false;
    }
    value = negative ? -value : value;
    return true;
  }

  /// A whole number from 0 on.
  [[gnu::cold]] bool count(std::uint64_t& value) {
    skip_space();
    value = 0;
    if (at_.peek() == '0') {
      at_.next();
    } else if (!take_digits(value, nullptr)) {
      return false;
    }
    const int next = at_.peek();
    return next != '.' && (next | 0x20) != 'e' && !is_digit(next);
  }

  /// An object; read(key) takes each value, and is false if it cannot.
  template <typename Read>
  [[gnu::cold]] bool object(const Read& read) {
    return list('{', '}', [&] {
      JsonCharacters key;
      return string(key) && take(':') && read(key);
    });
  }

  /// An array; read() takes each element, and is false if it cannot.
  template <typename Read>
  [[gnu::cold]] bool array(const Read& read) {
    return list('[', ']', read);
  }

 private:
  static bool is_digit(int letter) { return letter >= '0' && letter <= '9'; }

  [[gnu::cold, gnu::noinline]] void skip_space() {
    for (int letter = at_.peek(); letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
         letter = at_.peek()) {
      at_.next();
    }
  }

  /// At least one digit, after those in `value`; counts them down in `exponent`, if it is not null.
  [[gnu::cold, gnu::noinline]] bool take_digits(std::uint64_t& value, int* exponent) {
    if (!is_digit(at_.peek())) {
      return false;
    }
    for (; is_digit(at_.peek()); at_.next()) {
      if (value >= std::uint64_t{1'000'000'000'000'000'000}) {
        return false;
      }
      value = value * 10 + static_cast<std::uint64_t>(at_.peek() - '0');
      if (exponent != nullptr) {
        --*exponent;
      }
    }
    return true;
  }

  template <typename Read>
  [[gnu::cold]] bool list(char first, char last, const Read& read) {
    if (!take(first)) {
      return false;
    }
    if (take(last)) {
      return true;
    }
    do {
      if (!read()) {
        return false;
      }
    } while (take(','));
    return take(last);
  }

  JsonCharacters at_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
