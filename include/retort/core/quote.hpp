// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Foreign text in messages: text from a file, a path or an argument is shown in one line, cut to a length, and cannot
/// command a terminal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/utf8.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// Whether a terminal obeys the character instead of showing it, or a reader could not see it: the control characters
/// (C0, DEL, C1), line and paragraph separators, marks of direction and the byte order mark.
[[gnu::cold]] inline bool is_unprintable(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

/// "\x1b".
[[gnu::cold]] inline void append_byte_escape(std::string& text, std::uint32_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  text += "\\x";
  text += digits[byte >> 4 & 15u];
  text += digits[byte & 15u];
}

/// printable(), with a backslash before each of `marks`.
[[gnu::cold, gnu::noinline]] inline std::string escape(std::string_view text, std::size_t longest,
                                                       std::string_view marks) {
  std::string result;
  for (std::size_t length = 0; !text.empty();) {  // characters of the result
    const internal::Utf8Character character = internal::first_character(text);
    const std::string_view bytes = text.substr(0, character.bytes);
    std::string shown;
    if (!character.valid) {
      for (const char byte : bytes) {
        append_byte_escape(shown, static_cast<unsigned char>(byte));
      }
    } else if (character.code == '\n' || character.code == '\r' || character.code == '\t') {
      shown = character.code == '\n' ? "\\n" : character.code == '\r' ? "\\r" : "\\t";
    } else if (is_unprintable(character.code)) {
      character.code < 0x80 ? append_byte_escape(shown, character.code)
                            : internal::append_unicode_escape(shown, character.code);
    } else {
      shown = marks.find(text.front()) == std::string_view::npos ? "" : "\\";
      shown += bytes;
    }
    length += shown.size() == character.bytes ? 1 : shown.size();
    if (length > longest) {
      return result += "...";
    }
    result += shown;
    text.remove_prefix(character.bytes);
  }
  return result;
}

}  // namespace detail

/// `text` in one line of UTF-8 that does nothing to a terminal: characters that cannot be printed, and bytes that are
/// not UTF-8, are escaped as in a string of C; three dots take the place of all after `longest` characters.
[[gnu::cold]] inline std::string printable(std::string_view text, std::size_t longest) {
  return detail::escape(text, longest, "");
}

/// `text` in quotation marks, printable and cut: the form in messages of every text from a file or a user. A backslash
/// comes before each mark or backslash in it.
[[gnu::cold, gnu::noinline]] inline std::string in_quotes(std::string_view text, char mark = '\'',
                                                          std::size_t longest = 80) {
  const char marks[] = {mark, '\\'};
  std::string result(1, mark);
  result += detail::escape(text, longest, {marks, 2});
  return result += mark;
}

/// `path` as messages name it: printable, and cut if it is longer than any path that a system is likely to open. An
/// empty one is '', so that a message does not begin with nothing.
[[gnu::cold, gnu::noinline]] inline std::string path_text(std::string_view path) {
  return path.empty() ? "''" : printable(path, 1000);
}

/// The same of a std::filesystem::path, whose header takes long to read.
template <typename Path>
  requires requires(const Path& path) { path.string(); }
[[gnu::cold]] std::string path_text(const Path& path) {
  return path_text(std::string_view(path.string()));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
