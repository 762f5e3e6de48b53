// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Pieces of a C file: names, comments, numbers, arrays.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// What all names of a file begin with: "digit_" for functions and data, "DIGIT_" for macros. Throws OptionError for
/// what no name in C can begin with, or only names of the compiler's.
class CNames {
 public:
  [[gnu::cold]] explicit CNames(std::string_view prefix) : lower_(prefix) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool is_name = !prefix.empty() && prefix.size() <= 40 && is_letter(prefix.front()) && prefix.front() != '_' &&
                         std::ranges::all_of(prefix, [&](char c) { return is_letter(c) || is_digit(c); });
    if (!is_name) {
      throw OptionError(concatenate({"export_c: prefix is ", retort::in_quotes(prefix),
                                     ", expected a C identifier of at most 40 characters: a letter, then letters, "
                                     "digits and underscores"}));
    }
    if (lower_.back() != '_') {
      lower_ += '_';
    }
    for (const char c : lower_) {
      upper_ += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }

  /// `code` with the prefix in place of each $, and the prefix in capitals in place of each @.
  [[gnu::cold]] std::string in(std::string_view code) const {
    std::string text;
    for (const char c : code) {
      if (c == '$') {
        text += lower_;
      } else if (c == '@') {
        text += upper_;
      } else {
        text += c;
      }
    }
    return text;
  }

 private:
  std::string lower_;
  std::string upper_;
};

/// `code` with `text` in place of each `word`.
[[gnu::cold]] inline std::string with_text(std::string_view code, std::string_view word, std::string_view text) {
  std::string result(code);
  for (std::size_t at = result.find(word); at != std::string::npos; at = result.find(word, at + text.size())) {
    result.replace(at, word.size(), text);
  }
  return result;
}

/// " * text\n": a line of a comment. Whatever in it could end the comment, begin another, or continue a line, at which
/// compilers warn, is taken apart.
[[gnu::cold]] inline std::string comment_line(std::string_view text) {
  std::string line = concatenate({" * ", printable(text, 2000)});
  line = with_text(line, "/*", "/ *");
  line = with_text(line, "*/", "* /");
  line = with_text(line, "?\?/", "?? /");
  return line += '\n';
}

/// A number as C writes it: "-3", "0.1f".
template <typename T>
[[gnu::cold]] std::string c_number(const T& value) {
  std::string text = to_text(value);
  if constexpr (std::is_same_v<T, float>) {
    text += text.find_first_of(".e") == std::string::npos ? ".0f" : "f";
  }
  return text;
}

/// "{1, 2,\n    3}", in lines of at most 120 characters.
template <typename T>
[[gnu::cold]] std::string c_array(std::span<const T> values) {
  std::string text = "{";
  std::size_t width = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string number = c_number(values[i]);
    if (i > 0) {
      text += ',';
    }
    if (i == 0 || width + number.size() + 2 > 118) {
      text += "\n    ";
      width = 4;
    } else {
      text += ' ';
    }
    text += number;
    width += number.size() + 2;
  }
  text += '}';
  return text;
}

/// "static const @MEMORY int8_t $weights_0[16] = {...};\n"
template <typename T>
[[gnu::cold]] std::string c_data(std::string_view type, std::string_view name, std::size_t layer,
                                 const std::vector<T>& values) {
  return concatenate({"static const @MEMORY ", type, " $", name, "_", layer, "[", values.size(),
                      "] = ", c_array(std::span<const T>(values)), ";\n"});
}

/// "#define @NAME value\n"; a negative number in parentheses, so that it may stand after any operator.
[[gnu::cold]] inline std::string c_macro(std::string_view name, const TextPart& value) {
  const std::string_view text = value.text();
  const bool negative = text.starts_with('-');
  return concatenate({"#define @", name, negative ? " (" : " ", text, negative ? ")\n" : "\n"});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
