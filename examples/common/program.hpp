// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What programs do around their work.

#include <fcntl.h>

#include <cstdio>
#include <string_view>

#include "retort/core/console.hpp"
#include "retort/version.hpp"

namespace examples {

/// Call it first: where the caller closed a standard stream (`program >&-`), the next file to be opened, weights
/// perhaps, would take its place and get what is printed. Something that refuses to be used takes it instead.
inline void occupy_standard_streams() {
  for (int stream = 0; stream <= 2; ++stream) {
    if (::fcntl(stream, F_GETFD) == -1) {
      // The lowest that is free, which is this one: 0 cannot be read then, 1 and 2 cannot be written.
      [[maybe_unused]] const int occupied = ::open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
    }
  }
}

/// For a program without options: answers --help and --version. Throws retort::FileError where the answer cannot be
/// written.
inline bool has_answered(int argc, char** argv, std::string_view name, const char* usage) {
  const std::string_view asked = argc == 2 ? argv[1] : "";
  if (asked == "--version") {
    std::printf("%.*s %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(retort::version.size()),
                retort::version.data());
  } else if (asked == "--help" || asked == "-h") {
    std::printf("%s\n", usage);
  } else {
    return false;
  }
  retort::flush(stdout);
  return true;
}

}  // namespace examples
