// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A program's output (POSIX): whether people watch it, how many columns it has, and whether it arrived. The library
/// writes no escape codes, so terminals without them and NO_COLOR need no care: a changing line is overwritten after a
/// carriage return.

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "retort/core/error.hpp"
#include "retort/core/file_descriptor.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/core/utf8.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Returns `stream`. Throws OptionError if it is null; `owner` is the option's owner in the message.
[[gnu::cold]] inline std::FILE* require_stream(std::FILE* stream, std::string_view owner) {
  if (stream == nullptr) {
    throw OptionError(concatenate({owner, ": stream is null, expected one that is open, such as stdout"}));
  }
  return stream;
}

[[gnu::cold]] inline bool is_terminal(std::FILE* stream) { return ::isatty(::fileno(stream)) == 1; }

/// Whether a line can be overwritten: `stream` is a terminal, and not a dumb one (TERM).
[[gnu::cold]] inline bool is_redrawable(std::FILE* stream) {
  const char* const terminal = std::getenv("TERM");
  return is_terminal(stream) && terminal != nullptr && std::string_view(terminal) != "dumb";
}

/// Columns of the terminal behind `stream`, now; 80 if it is no terminal or does not say.
[[gnu::cold]] inline std::size_t console_columns(std::FILE* stream) {
  winsize size{};
  return ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// Columns that `text` takes, one for each character.
[[gnu::cold]] inline std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (; !text.empty(); ++columns) {
    text.remove_prefix(first_character(text).bytes);
  }
  return columns;
}

/// "0:07", "12:00", "1:23:45": a time in minutes and seconds, or with hours. Precondition: seconds >= 0.
[[gnu::cold]] inline std::string clock_text(double seconds) {
  constexpr double longest = 3600.0 * 24 * 1000;
  const auto whole = static_cast<unsigned long>(seconds < longest ? seconds + 0.5 : longest);
  const unsigned long hours = whole / 3600;
  const unsigned long minutes = whole / 60 % 60;
  const unsigned long rest = whole % 60;
  return concatenate({hours > 0 ? to_text(hours) : "", hours > 0 ? (minutes < 10 ? ":0" : ":") : "", minutes,
                      rest < 10 ? ":0" : ":", rest});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Writes all buffered output of `stream`. Throws FileError unless everything ever printed to it has arrived: call it
/// last, so that a program whose output met a full disk does not end as if all were well. Throws OptionError for null.
[[gnu::cold]] inline void flush(std::FILE* stream) {
  internal::require_stream(stream, "flush");
  errno = 0;
  if (std::fflush(stream) != 0 || std::ferror(stream) != 0) {
    const int reason = errno;
    const std::filesystem::path name = stream == stdout ? "standard output" : "output";
    if (reason != 0) {
      internal::throw_file_error(name, "cannot be written", reason);
    }
    throw FileError(name, "cannot be written to its end");
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
