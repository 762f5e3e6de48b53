// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Command lines by CLI11, as strict as the library is with files.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/output_folder.hpp"
#include "common/page.hpp"
#include "retort/core/console.hpp"
#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
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

inline CLI::Validator page_name() { return {page_name_fault, ""}; }

/// What a flag such as --quick means for an option that is not on the command line.
template <typename Value>
void set_unless_given(const CLI::App& app, const char* option, Value& value, std::type_identity_t<Value> preset) {
  if (app.count(option) == 0) {
    value = preset;
  }
}

/// An option for each of a struct's hyperparameters but those named in `without`: --hard-weight for hard_weight, with
/// the range in its help.
template <retort::HasHyperparameters Settings>
void add_hyperparameters(CLI::App& app, Settings& settings, std::initializer_list<std::string_view> without = {}) {
  retort::for_each_hyperparameter(
      settings, [&]<typename Value>(std::string_view name, Value& value, const retort::Range& range) {
        if (std::ranges::find(without, name) == without.end()) {
          std::string option = retort::concatenate({"--", name});
          std::ranges::replace(option, '_', '-');
          app.add_option(option, value, retort::concatenate({Settings::name, "'s ", name, ", ", range.expected}))
              ->check(std::integral<Value> ? whole_number(0) : number());
        }
      });
}

/// --students: some of `names`.
inline void add_students(CLI::App& app, std::vector<std::string>& students, std::span<const char* const> names,
                         const std::string& description) {
  app.add_option("--students", students, description)
      ->check(CLI::IsMember(std::vector<std::string>(names.begin(), names.end())))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

/// --resume, --overwrite and --any-processor.
inline void add_continuation(CLI::App& app, Continuation& continuation) {
  CLI::Option* const resume = app.add_flag("--resume", continuation.resume, "go on from the checkpoints in --out");
  app.add_flag("--overwrite", continuation.overwrite, "replace what an earlier run left in --out")->excludes(resume);
  app.add_flag("--any-processor", continuation.any_processor,
               "resume also what another compiler's or processor's program began: the result has the bits of neither")
      ->needs(resume);
}

/// Which options of a program decide a setting of a checkpoint.
struct SettingOptions {
  std::string_view setting;
  std::string_view options;
};

/// Those of `setting`; empty where the table names none.
inline std::string options_of(std::span<const SettingOptions> table, std::string_view setting) {
  const auto found = std::ranges::find(table, setting, &SettingOptions::setting);
  return found == table.end() ? std::string() : std::string(found->options);
}

/// `text` as one line.
inline std::string unbroken(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// A help text in lines of at most 79 characters: what is cut off an option's description goes on below it, what is cut
/// off any other line a little to the right.
inline std::string wrapped(const std::string& help) {
  constexpr std::size_t longest = 79;
  constexpr std::size_t description = 30;  // CLI11's column for it
  std::string result;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t indent =
        line.starts_with("  -") || begin == description ? description : begin + (begin > 0 ? 2 : 0);
    while (line.size() > longest) {
      std::size_t end = line.rfind(' ', longest);
      if (end == std::string::npos || end <= std::max(indent, begin)) {
        end = line.rfind(',', longest - 1) + 1;  // a list of values has no spaces; npos + 1 is 0
      }
      if (end <= std::max(indent, begin)) {
        break;
      }
      result += line.substr(0, end) + '\n';
      line = std::string(indent, ' ') + line.substr(line[end] == ' ' ? end + 1 : end);
    }
    result += line + '\n';
  }
  return result;
}

/// Reads the command line. Prints help or the version and exits when asked to; throws retort::OptionError, one line,
/// for anything the application does not understand, retort::FileError where the help cannot be written.
inline void parse_command_line(CLI::App& app, int argc, char** argv) {
  app.set_version_flag("--version", retort::concatenate({app.get_name(), " ", retort::version}),
                       "print the version and exit");
  app.description(unbroken(app.get_description()));
  for (CLI::Option* const option : app.get_options()) {
    option->description(unbroken(option->get_description()));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      std::ostringstream answer;
      app.exit(error, answer);
      std::fputs(wrapped(answer.str()).c_str(), stdout);
      retort::flush(stdout);
      std::exit(0);
    }
    throw retort::OptionError(error.what());
  }
}

}  // namespace examples
