// SPDX-License-Identifier: MIT
#include "retort/core/quote.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "brief.hpp"
#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/error.hpp"
#include "retort/data/csv.hpp"
#include "retort/data/npy.hpp"
#include "retort/io/safetensors.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/checkpoint.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using test::TemporaryFolder;

TEST_CASE("What can be shown is shown as it is", "[core][quote]") {
  CHECK(printable("plain \\ 'text' \"\"", 80) == "plain \\ 'text' \"\"");
  CHECK(printable("gr\u00f6\u00dfer als \u65e5\u672c \U0001F600", 80) ==
        "gr\u00f6\u00dfer als \u65e5\u672c \U0001F600");
  CHECK(in_quotes("0.weight") == "'0.weight'");
  CHECK(in_quotes("0.weight", '"') == "\"0.weight\"");
}

TEST_CASE("What would command a terminal or deceive a reader is escaped", "[core][quote]") {
  CHECK(printable("a\nb\r\tc\x1B[31m\x7F", 80) == "a\\nb\\r\\tc\\x1b[31m\\x7f");
  CHECK(printable(std::string_view("\0", 1), 80) == "\\x00");
  CHECK(printable("\u009b31m \u202e \u200b \u2028 \ufeff", 80) == "\\u009b31m \\u202e \\u200b \\u2028 \\ufeff");
}

TEST_CASE("Bytes that are not UTF-8 are escaped one by one", "[core][quote]") {
  CHECK(printable("\xFF", 80) == "\\xff");
  CHECK(printable("\xE2\x82", 80) == "\\xe2\\x82");
  CHECK(printable("\xE2\x82+", 80) == "\\xe2\\x82+");
  CHECK(printable("\xC0\x80", 80) == "\\xc0\\x80");           // overlong
  CHECK(printable("\xED\xA0\x80", 80) == "\\xed\\xa0\\x80");  // half of a surrogate pair
}

TEST_CASE("Quotation marks and backslashes within quotes are told from the outer ones", "[core][quote]") {
  CHECK(in_quotes("it's a\\b \"c\"") == "'it\\'s a\\\\b \"c\"'");
  CHECK(in_quotes("it's a\\b \"c\"", '"') == "\"it's a\\\\b \\\"c\\\"\"");
}

TEST_CASE("A long text is cut between characters, an escape counted as what it takes", "[core][quote]") {
  CHECK(printable(std::string(80, 'x'), 80) == std::string(80, 'x'));
  CHECK(printable(std::string(81, 'x'), 80) == std::string(80, 'x') + "...");
  CHECK(printable("\u00e9\u00e9\u00e9", 2) == "\u00e9\u00e9...");
  CHECK(printable("ab\x1B", 5) == "ab...");
  std::string twenty_escapes;
  for (int i = 0; i < 20; ++i) {
    twenty_escapes += "\\x1b";
  }
  CHECK(in_quotes(std::string(50'000'000, '\x1B')) == "'" + twenty_escapes + "...'");
}

/// The message with which `action` fails. It is one line that a terminal takes for text, and not a long one.
template <typename Action>
std::string message_of(const Action& action) {
  std::string message;
  try {
    action();
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message == printable(message, message.size()));
  CHECK(message.size() < 1500);
  return message;
}

std::filesystem::path written(const std::filesystem::path& path, std::string_view bytes) {
  test::write_file(path, bytes);
  return path;
}

const std::string hostile = "\x1B]0;owned\x07\r\n\xFF" + std::string(1'000'000, 'x');

TEST_CASE("An error's message is printable whatever it was put together from", "[core][quote]") {
  CHECK(std::string(Error("option \x1B[2J\n").what()) == "option \\x1b[2J\\n");
  CHECK(std::string(OptionError(std::string(100'000, 'x')).what()).size() < 5000);
  CHECK(std::string(FileError("a\x1B/b\n", "cannot be read").what()) == "a\\x1b/b\\n: cannot be read");
}

TEST_CASE("A path that no terminal should obey is escaped, also where its file is missing", "[core][quote]") {
  const TemporaryFolder folder;
  CHECK(message_of([&] { data::load_csv(folder / "\x1B[31m.csv"); }).find("/\\x1b[31m.csv: cannot be read") !=
        std::string::npos);
  message_of([&] { data::load_csv(hostile); });
}

TEST_CASE("Hostile text in a CSV file is quoted and cut", "[core][quote]") {
  const TemporaryFolder folder;
  const auto path = written(folder / "a.csv", "1,2\n3," + std::string(hostile).erase(10, 2) + "\n");
  CHECK(message_of([&] { data::load_csv(path); }).find("column 2: '\\x1b]0;owned\\x07\\xffxxx") != std::string::npos);
}

TEST_CASE("Hostile text in an NPY header is quoted and cut", "[core][quote]") {
  const TemporaryFolder folder;
  const std::string header = "{'descr': '" + std::string(hostile).substr(0, 60'000) + "', }";
  std::string text = "\x93NUMPY\x01";
  text += '\0';
  text += static_cast<char>(header.size() & 255u);
  text += static_cast<char>(header.size() >> 8);
  const auto path = written(folder / "a.npy", text + header);
  CHECK(message_of([&] { data::load_npy(path, path); }).find("'\\x1b]0;owned\\x07\\r\\n\\xffxxx") != std::string::npos);
}

TEST_CASE("Hostile text in a safetensors file is quoted and cut: names, metadata, a model's signature",
          "[core][quote]") {
  using Net = Network<Sequential<Linear<2, 2>>>;
  const TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  const std::string text =
      "\x1B]0;owned\x07\r\n" + std::string(test::brief ? 1'000'000 : 10'000'000, 'x');  // within the header's limit
  Net network{Seed{0}};
  const auto refusal = [&](const io::Metadata& metadata, const std::string& name) {
    const std::vector<float> values(4);
    io::write_safetensors(path, std::vector{io::Tensor::of<float>(name, {2, 2}, values)}, metadata);
    return message_of([&] { io::load_safetensors(network, path); });
  };
  CHECK(refusal({}, text).find("tensor \"\\x1b]0;owned\\x07\\r\\nxxx") != std::string::npos);
  CHECK(refusal({{"retort.model", text}}, "0.weight").find("the model \"\\x1b]0;owned\\x07\\r\\nxxx") !=
        std::string::npos);
}

TEST_CASE("A path without a letter is named too", "[core][quote]") {
  CHECK(path_text("") == "''");
  CHECK(path_text(std::filesystem::path()) == "''");
  CHECK(path_text("a b") == "a b");
}

TEST_CASE("Hostile settings and formats in a checkpoint are quoted and cut", "[core][quote]") {
  const TemporaryFolder folder;
  const auto path = folder / "a.safetensors";
  const std::string text = "\x1B]0;owned\x07\r\n" + std::string(1'000'000, 'x');
  io::write_safetensors(path, {}, {{"format", text}});
  CHECK(message_of([&] { internal::load_checkpoint(path, {}); }).find("format: '\\x1b]0;owned\\x07\\r\\nxxx") !=
        std::string::npos);
  internal::Checkpoint checkpoint{};
  checkpoint.settings = {{"optimizer", text}};
  internal::save_checkpoint(path, checkpoint);
  CHECK(message_of([&] {
          internal::load_checkpoint(path, {{"optimizer", "Adam()"}});
        }).find("optimizer = \\x1b]0;owned\\x07\\r\\nxxx") != std::string::npos);
}

}  // namespace
