// SPDX-License-Identifier: MIT
/// The examples' command lines: arguments separated by line ends. Whatever they are, options come out or an Error, and
/// numbers are those that stand there.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/command_line.hpp"
#include "distill_mnist/backends.hpp"
#include "distill_mnist/options.hpp"
#include "fuzz_target.hpp"
#include "sweep/options.hpp"

// The jobs themselves are not run: what backends.cpp names is all that is needed of them.
void distill_mnist::run_eigen(const Options& /*options*/) {}
void distill_mnist::run_eigen_bf16(const Options& /*options*/) {}

namespace {

using retort::fuzz::require;

std::vector<std::string> arguments_of(std::string_view text) {
  std::vector<std::string> arguments{"program"};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    // An argument ends at its first zero byte.
    arguments.emplace_back(std::string(text.substr(0, end)).c_str());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return arguments;
}

template <typename Parse>
void parse(const Parse& parse_options, std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  retort::fuzz::accepted([&] { return parse_options(static_cast<int>(arguments.size()), pointers.data()); });
}

/// `whole_number` lets through what its sentence promises: decimal digits without a sign or a leading zero.
void check_numbers(const std::string& text) {
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
  const bool plain = digits && (text.size() == 1 || text.front() != '0');
  const bool small = plain && text.size() <= 9;
  const std::string refusal = examples::whole_number(0, 999'999'999)(const_cast<std::string&>(text));
  require(refusal.empty() == small, "a whole number is one within its range");
}

bool asks_to_exit(const std::string& argument) {
  // CLI11 groups one-letter flags: -h may stand anywhere in them. What follows "--help" or "--version" may be a value.
  const bool letters = argument.size() > 1 && argument[0] == '-' && argument[1] != '-';
  return (letters && argument.find('h') != std::string::npos) || argument.starts_with("--h") ||
         argument.starts_with("--version");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> arguments = arguments_of(retort::fuzz::text_of(data, size));
  std::ranges::for_each(arguments, check_numbers);
  if (std::ranges::any_of(arguments, asks_to_exit)) {
    return 0;
  }
  parse(distill_mnist::parse_options, arguments);
  parse(sweep::parse_options, arguments);
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  return {
      {"none", ""},
      {"many", "--epochs\n5\n--batch-size=64\n--temperature\n2\n--hard-weight\n0.3\n--seed\n18446744073709551615"},
      {"recipe", "--recipe\nrecommended\n--loss\nhinton\n--schedule\ncosine\n--resume\n--quiet"},
      {"sweep", "--temperature\n1\n2\n4\n--lr\n1e-3\n--seeds\n3\n--best-first\n--out\nout\n--save-students"},
      {"tables", "--teacher-logits\na.npy\nb.npy\n--teacher-logits\nc.npy\n--student-shift\n1\n--student-views\n2"},
      {"weighted_tables", "--teacher-logits\na.npy\nb.npy\n--teacher-weight\n1\n-0.5"},
      {"table_and_network", "--teacher-logits\na.npy\n--teacher\nb.safetensors"},
      {"table_without_use", "--teacher-logits\na.npy\n--loss\ncross-entropy"},
      {"report", "--report\nout/report.html\n--data\n<b>\"'&"},
      {"report_of_another_name", "--report\nout/metrics.jsonl"},
      {"not_taken", "--backend\neigen\n--device\n0"},
      {"not_compiled_in", "--backend\ncuda"},
      {"negative", "--epochs\n-1"},
      {"octal", "--epochs\n010"},
      {"beyond_64_bits", "--seed\n18446744073709551616"},
      {"not_a_number", "--temperature\nnan\n--hard-weight\ninf"},
      {"below_double", "--lr\n1e-400"},
      {"empty_value", "--out\n\n--data="},
      {"brackets", "--temperature\n[1,2]"},
      {"control_characters", "--\x1B[31m\n\x07"},
      {"long", std::string(3'000, 'x')},
      {"no_value", "--epochs"},
      {"configuration_file", "--config\n/dev/null"},
  };
}
