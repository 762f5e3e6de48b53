// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// JSON (RFC 8259) for the library's files. Strings and numbers are written one by one; a text is read in its own
/// order, by code that knows what it expects. There is no tree and no recursion, so neither a nested nor an endless
/// text costs memory.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/text.hpp"
#include "retort/core/utf8.hpp"

namespace retort {  // for every instruction set

/// A text that is not JSON, or not the expected value: `what()` is "byte N: what was expected", counted from 1. Callers
/// that read a file prepend its name.
class [[gnu::visibility("default")]] JsonError : public Error {
 public:
  RETORT_ERROR_CONSTRUCTOR JsonError(std::size_t byte, std::string_view expected)
      : Error(concatenate({"byte ", byte, ": expected ", expected})), byte_(byte) {}

  /// Where the reader stopped, from 1; one beyond the last byte if the text ends early.
  std::size_t byte() const { return byte_; }

 private:
  std::size_t byte_;
};

}  // namespace retort

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

[[gnu::cold]] inline void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int rest = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes after the first
  const std::uint32_t marks[] = {0xC0, 0xE0, 0xF0};
  text += static_cast<char>(marks[rest - 1] | code >> (6 * rest));
  for (int shift = 6 * (rest - 1); shift >= 0; shift -= 6) {
    text += static_cast<char>(0x80u | (code >> shift & 0x3Fu));
  }
}

/// Appends one character in the form that it has in a JSON string.
[[gnu::cold]] inline void append_json_character(std::string& text, std::uint32_t code) {
  constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
  const std::size_t place = code < 0x80 ? escaped.find(static_cast<char>(code)) : std::string_view::npos;
  if (place != std::string_view::npos) {
    text += '\\';
    text += "\"\\bfnrt"[place];
  } else if (code < 0x20) {
    internal::append_unicode_escape(text, code);
  } else {
    append_utf8(text, code);
  }
}

}  // namespace detail

/// `text` as a JSON string in UTF-8. Throws JsonError if it is not UTF-8.
[[gnu::cold]] inline std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const internal::Utf8Character character = internal::first_character(text.substr(at));
    if (!character.valid) {
      throw JsonError(at + 1, "UTF-8");
    }
    detail::append_json_character(result, character.code);
    at += character.bytes;
  }
  return result += '"';
}

/// `number` as a JSON number that reads back to the same bits; infinities and NaN, which JSON lacks, become null.
[[gnu::cold, gnu::noinline]] inline std::string json_number(const TextPart& number) {
  const char last = number.text().back();
  return last >= '0' && last <= '9' ? std::string(number.text()) : "null";
}

/// Numbers or strings as a JSON array; json_number and json_string write the elements.
template <typename Values>
[[gnu::cold]] std::string json_array(const Values& values) {
  std::string text = "[";
  for (const auto& value : values) {
    text += text.size() > 1 ? "," : "";
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(value)>>) {
      text += json_number(value);
    } else {
      text += json_string(value);
    }
  }
  return text += ']';
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// A field of an object to be read: its name, and the function that reads its value.
struct JsonField {
  std::string_view name;
  std::function<void()> read;
  bool required = true;
};

enum class JsonKind { null, boolean, number, string, array, object };

/// A position in a JSON text. `kind` says what comes next, the other functions take it; each throws JsonError if
/// something else comes.
///
///     JsonReader json(R"({"loss": [0.5, 0.25]})");
///     json.begin_object();
///     for (std::string key; json.next_key(key);) {
///       json.begin_array();
///       while (json.next_element()) {
///         losses[key].push_back(json.number<double>());
///       }
///     }
///     json.end();
class JsonReader {
 public:
  /// The text must outlive it.
  explicit JsonReader(std::string_view text) : text_(text) {}

  [[gnu::cold]] JsonKind kind() {
    skip_space();
    switch (front()) {
      case '{':
        return JsonKind::object;
      case '[':
        return JsonKind::array;
      case '"':
        return JsonKind::string;
      default:
        break;
    }
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("null")) {
      return JsonKind::null;
    }
    if (rest.starts_with("true") || rest.starts_with("false")) {
      return JsonKind::boolean;
    }
    if (front() == '-' || is_digit(front())) {
      return JsonKind::number;
    }
    fail("a value");
  }

  [[gnu::cold]] void begin_object() { open('{', "an object"); }
  [[gnu::cold]] void begin_array() { open('[', "an array"); }

  /// Takes the next key and the colon after it. At the object's end, returns false and moves past it.
  [[gnu::cold]] bool next_key(std::string& key) {
    if (!goes_on('}', "',' or '}'")) {
      return false;
    }
    key = string();
    skip_space();
    take(':', "':'");
    return true;
  }

  /// Whether the array has another value. At its end, returns false and moves past it.
  [[gnu::cold]] bool next_element() { return goes_on(']', "',' or ']'"); }

  /// Takes a string: its characters, in UTF-8.
  [[gnu::cold]] std::string string() {
    skip_space();
    take('"', "a string");
    std::string result;
    while (front() != '"') {
      if (front() == '\\') {
        ++at_;
        take_escape(result);
        continue;
      }
      if (at_ == text_.size() || static_cast<unsigned char>(front()) < 0x20) {
        fail("the end of a string");
      }
      const Utf8Character character = first_character(text_.substr(at_));
      if (!character.valid) {
        fail("UTF-8");
      }
      result.append(text_, at_, character.bytes);
      at_ += character.bytes;
    }
    ++at_;
    fresh_ = false;
    return result;
  }

  /// Takes a number, as written: some digits, perhaps with a sign, a fraction and an exponent.
  [[gnu::cold]] std::string_view number() {
    skip_space();
    const std::size_t begin = at_;
    if (front() != '-' && !is_digit(front())) {
      fail("a number");
    }
    at_ += front() == '-' ? 1u : 0u;
    if (front() == '0') {
      ++at_;
    } else {
      take_digits();
    }
    if (front() == '.') {
      ++at_;
      take_digits();
    }
    if (front() == 'e' || front() == 'E') {
      ++at_;
      at_ += front() == '+' || front() == '-' ? 1u : 0u;
      take_digits();
    }
    fresh_ = false;
    return text_.substr(begin, at_ - begin);
  }

  /// Takes a number as the nearest `Number`. One that it cannot hold (a fraction as an integer, 1e999 as a double) is
  /// an error.
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  [[gnu::cold]] Number number() {
    skip_space();
    const std::size_t begin = at_;
    const std::string_view text = number();
    Number value{};
    if (!parse_number(text, value)) {
      at_ = begin;
      fail(std::is_floating_point_v<Number> ? "a number within the range of its type" : "a whole number within range");
    }
    return value;
  }

  /// Takes a number, a string or an array of at most `most` of them.
  template <typename Value>
  [[gnu::cold]] void read(Value& value, std::size_t most = SIZE_MAX) {
    if constexpr (std::is_arithmetic_v<Value>) {
      value = number<Value>();
    } else if constexpr (std::is_same_v<Value, std::string>) {
      value = string();
    } else {
      begin_array();
      while (next_element()) {
        if (value.size() == most) {
          fail(concatenate({"an array of at most ", most}));
        }
        read(value.emplace_back());
      }
    }
  }

  /// A JsonField's function that reads `value`, at most `most` elements. The reader and the value must outlive it.
  template <typename Value>
  auto into(Value& value, std::size_t most = SIZE_MAX) {
    return [this, &value, most] { read(value, most); };
  }

  /// Takes an object of these fields, each once, in any order; for any other key JsonError says `expected`. Returns the
  /// name of the first required field that is missing, or nothing.
  [[gnu::cold]] std::string_view read_object(std::vector<JsonField> fields, std::string_view expected) {
    begin_object();
    for (std::string key; next_key(key);) {
      const auto field = std::ranges::find(fields, key, &JsonField::name);
      if (field == fields.end()) {
        fail(expected);
      }
      field->read();
      fields.erase(field);
    }
    const auto missing = std::ranges::find(fields, true, &JsonField::required);
    return missing == fields.end() ? std::string_view{} : missing->name;
  }

  /// Throws JsonError if anything but spaces is left.
  [[gnu::cold]] void end() {
    skip_space();
    if (at_ != text_.size()) {
      fail("the end");
    }
  }

  /// Throws JsonError at the place that the reader has reached.
  [[noreturn, gnu::cold, gnu::noinline]] void fail(std::string_view expected) const {
    throw JsonError(at_ + 1, expected);
  }

 private:
  /// Stands for the end of the text.
  static constexpr char nothing = '\0';

  static bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

  char front() const { return at_ < text_.size() ? text_[at_] : nothing; }

  [[gnu::cold, gnu::noinline]] void skip_space() {
    at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size());
  }

  [[gnu::cold, gnu::noinline]] void take(char letter, std::string_view expected) {
    if (at_ == text_.size() || text_[at_] != letter) {
      fail(expected);
    }
    ++at_;
  }

  [[gnu::cold, gnu::noinline]] void take_digits() {
    if (!is_digit(front())) {
      fail("a digit");
    }
    while (is_digit(front())) {
      ++at_;
    }
  }

  [[gnu::cold, gnu::noinline]] void open(char bracket, std::string_view expected) {
    skip_space();
    take(bracket, expected);
    fresh_ = true;
  }

  [[gnu::cold, gnu::noinline]] bool goes_on(char bracket, std::string_view expected) {
    skip_space();
    if (front() == bracket) {
      ++at_;
      fresh_ = false;
      return false;
    }
    if (!std::exchange(fresh_, false)) {
      take(',', expected);
    }
    return true;
  }

  /// Takes what follows a backslash.
  [[gnu::cold, gnu::noinline]] void take_escape(std::string& result) {
    constexpr std::string_view names = "\"\\/bfnrt";
    const std::size_t place = at_ < text_.size() ? names.find(text_[at_]) : std::string_view::npos;
    if (place != std::string_view::npos) {
      result += "\"\\/\b\f\n\r\t"[place];
      ++at_;
      return;
    }
    take('u', "an escape sequence");
    std::uint32_t code = hexadecimal();
    if (code >= 0xD800 && code < 0xDC00) {
      take('\\', "the second half of a surrogate pair");
      take('u', "the second half of a surrogate pair");
      const std::uint32_t second = hexadecimal();
      if (second < 0xDC00 || second > 0xDFFF) {
        fail("the second half of a surrogate pair");
      }
      code = 0x10000 + ((code - 0xD800) << 10 | (second - 0xDC00));
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      fail("the first half of a surrogate pair");
    }
    retort::detail::append_utf8(result, code);
  }

  /// Takes four hexadecimal digits.
  std::uint32_t hexadecimal() {
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    std::uint32_t code = 0;
    for (int digit = 0; digit < 4; ++digit) {
      const std::size_t place = at_ < text_.size() ? digits.find(text_[at_]) : std::string_view::npos;
      if (place == std::string_view::npos) {
        fail("four hexadecimal digits");
      }
      code = code << 4 | static_cast<std::uint32_t>(place < 16 ? place : place - 6);
      ++at_;
    }
    return code;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool fresh_ = false;  // just inside an array or object, where no comma comes
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
