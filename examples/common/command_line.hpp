// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Command lines by CLI11, as strict as the library is with files.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "common/output_folder.hpp"
#include "retort/core/console.hpp"
#include "retort/core/error.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/version.hpp"

namespace examples {

/// CLI11 takes -1 for 2^64 - 1 and cuts what is too large, so numbers are looked at before it reads them.
inline CLI::Validator whole_number(std::uint64_t minimum,
                                   std::uint64_t maximum = std::numeric_limits<std::uint32_t>::max()) {
  return {[minimum, maximum](const std::string& text) -> std::string {
            std::uint64_t value = 0;
            const bool decimal = text == "0" || !text.starts_with('0');  // CLI11 reads 010 as 8
            return decimal && retort::parse_number(text, value) && value >= minimum && value <= maximum
                       ? ""
                       : retort::concatenate(
                             {retort::in_quotes(text), ", expected a whole number from ", minimum, " to ", maximum});
          },
          ""};
}

/// Ranges are checked by what the numbers are for.
inline CLI::Validator number() {
  return {[](const std::string& text) -> std::string {
            double value = 0.0;
            return retort::parse_number(text, value) ? "" : retort::in_quotes(text) + ", expected a number";
          },
          ""};
}

inline CLI::Validator not_empty() {
  return {[](const std::string& text) -> std::string { return text.empty() ? "is empty, expected a name" : ""; }, ""};
}

/// --resume and --overwrite.
inline void add_continuation(CLI::App& app, Continuation& continuation) {
  CLI::Option* const resume = app.add_flag("--resume", continuation.resume, "go on from the checkpoints in --out");
  app.add_flag("--overwrite", continuation.overwrite, "replace what an earlier run left in --out")->excludes(resume);
}

/// Reads the command line. Prints help or the version and exits when asked to; throws retort::OptionError, one line, for
/// anything the application does not understand, retort::FileError where the help cannot be written.
inline void parse_command_line(CLI::App& app, int argc, char** argv) {
  app.set_version_flag("--version", retort::concatenate({app.get_name(), " ", retort::version}),
                       "print the version and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      const int status = app.exit(error);
      retort::flush(stdout);
      std::exit(status);
    }
    throw retort::OptionError(error.what());
  }
}

}  // namespace examples
