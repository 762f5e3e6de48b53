// SPDX-License-Identifier: MIT
#include "retort/predict/json_text.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "retort/core/json.hpp"

namespace {

using namespace retort;
using internal::JsonCharacters;
using internal::JsonText;

JsonText text_of(std::string_view text) { return JsonText(JsonCharacters(text, 0)); }

std::string contents(JsonCharacters characters) {
  std::string result;
  for (int letter = characters.next(); letter >= 0; letter = characters.next()) {
    result += static_cast<char>(letter);
  }
  return result;
}

TEST_CASE("A string's characters are read through its escapes, in texts within texts too") {
  const std::string inner = R"({"a\"b\\":"\u0041\n"})";
  const std::string outer = json_string(inner);
  JsonText json = text_of(outer);
  JsonCharacters text;
  REQUIRE(json.string(text));
  CHECK(json.end());
  CHECK(contents(text) == inner);
  JsonText nested(text);
  std::vector<std::string> found;
  CHECK(nested.object([&](JsonCharacters key) {
    JsonCharacters value;
    found.push_back(contents(key));
    const bool is_string = nested.string(value);
    found.push_back(contents(value));
    return is_string;
  }));
  CHECK(nested.end());
  CHECK(found == std::vector<std::string>{"a\"b\\", "A\n"});
}

TEST_CASE("Text that is no JSON string is refused") {
  for (const std::string_view bad : {"", "x", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u00g0\"", "\"\\u00\"", "\"\n\""}) {
    CAPTURE(bad);
    JsonText json = text_of(bad);
    JsonCharacters text;
    CHECK_FALSE(json.string(text));
  }
}

TEST_CASE("Numbers are those of JSON") {
  for (const std::string_view good : {"0", "-0.5", "10", "1e3", "2.5E-3", "0.30809999999999998", "-1e+2"}) {
    CAPTURE(good);
    double value = 0;
    CHECK(text_of(good).number(value));
    CHECK(value == std::stod(std::string(good)));
  }
  for (const std::string_view bad : {"", "-", ".5", "1.", "1e", "e1", "nan", "+1", "12345678901234567890", "1e999"}) {
    CAPTURE(bad);
    double value = 0;
    CHECK_FALSE(text_of(bad).number(value));
  }
  std::uint64_t count = 0;
  CHECK(text_of(" 1234 ").count(count));
  CHECK(count == 1234);
  for (const std::string_view bad : {"", "-1", "1.0", "1e3", "00", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(text_of(bad).count(count));
  }
}

TEST_CASE("Arrays and objects end where they end") {
  const auto counts = [](std::string_view text) {
    JsonText json = text_of(text);
    std::uint64_t value = 0;
    return json.array([&] { return json.count(value); }) && json.end();
  };
  CHECK(counts("[]"));
  CHECK(counts(" [ 1 , 2 ] \n"));
  for (const std::string_view bad : {"[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "[1]]", "{1}"}) {
    CAPTURE(bad);
    CHECK_FALSE(counts(bad));
  }
}

}  // namespace
