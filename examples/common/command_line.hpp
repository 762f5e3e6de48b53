// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Command lines by CLI11, as strict as the library is with files.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "retort/core/error.hpp"
#include "retort/core/parse_number.hpp"

namespace examples {

/// CLI11 takes -1 for 2^64 - 1 and cuts what is too large, so numbers are looked at before it reads them.
inline CLI::Validator whole_number(std::uint64_t minimum,
                                   std::uint64_t maximum = std::numeric_limits<std::uint32_t>::max()) {
  return {[minimum, maximum](const std::string& text) -> std::string {
            std::uint64_t value = 0;
            const bool decimal = text == "0" || !text.starts_with('0');  // CLI11 reads 010 as 8
            return decimal && retort::parse_number(text, value) && value >= minimum && value <= maximum
                       ? ""
                       : "'" + text + "', expected a whole number from " + std::to_string(minimum) + " to " +
                             std::to_string(maximum);
          },
          ""};
}

/// Ranges are checked by what the numbers are for.
inline CLI::Validator number() {
  return {[](const std::string& text) -> std::string {
            double value = 0.0;
            return retort::parse_number(text, value) ? "" : "'" + text + "', expected a number";
          },
          ""};
}

inline CLI::Validator not_empty() {
  return {[](const std::string& text) -> std::string { return text.empty() ? "is empty, expected a name" : ""; }, ""};
}

/// Reads the command line. Prints help and exits when asked to; throws retort::OptionError, one line, for anything the
/// application does not understand.
inline void parse_command_line(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      std::exit(app.exit(error));
    }
    throw retort::OptionError(error.what());
  }
}

}  // namespace examples
