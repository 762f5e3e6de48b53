// SPDX-License-Identifier: MIT
#include "retort/core/json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "retort/core/philox.hpp"

using namespace retort;

namespace {

/// Reads any value, as code would that knows what it expects; nothing is nested deeper than `levels`.
nlohmann::json read_any(internal::JsonReader& json, int levels = 64) {
  switch (json.kind()) {
    case internal::JsonKind::number:
      return std::strtod(std::string(json.number()).c_str(), nullptr);
    case internal::JsonKind::string:
      return json.string();
    case internal::JsonKind::array: {
      auto values = nlohmann::json::array();
      json.begin_array();
      while (levels > 0 && json.next_element()) {
        values.push_back(read_any(json, levels - 1));
      }
      return values;
    }
    case internal::JsonKind::object: {
      auto values = nlohmann::json::object();
      json.begin_object();
      for (std::string key; levels > 0 && json.next_key(key);) {
        values[key] = read_any(json, levels - 1);
      }
      return values;
    }
    default:
      json.fail("no null and no boolean");
  }
}

std::string complaint(std::string_view text) {
  try {
    internal::JsonReader json(text);
    read_any(json);
    json.end();
  } catch (const JsonError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("Texts are read as another reader reads them", "[core][json]") {
  for (const std::string_view text :
       {R"([])", R"({})", R"(0)", R"(-0.5e+3)", R"("")", R"([1,2.5,-3E-2,"a"])",
        R"( { "a" : [ { } , [ ] ] , "b" : "c" } )", R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00")",
        "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"", R"("\u0000")"}) {
    CAPTURE(text);
    internal::JsonReader json(text);
    CHECK(read_any(json) == nlohmann::json::parse(text));
    json.end();
  }
}

TEST_CASE("A text that is not JSON is refused where it goes wrong", "[core][json]") {
  CHECK(complaint("") == "byte 1: expected a value");
  CHECK(complaint("[1 2]") == "byte 4: expected ',' or ']'");
  CHECK(complaint("[1,]") == "byte 4: expected a value");
  CHECK(complaint("{\"a\":1,}") == "byte 8: expected a string");
  CHECK(complaint("{\"a\" 1}") == "byte 6: expected ':'");
  CHECK(complaint("{a:1}") == "byte 2: expected a string");
  CHECK(complaint("[]]") == "byte 3: expected the end");
  CHECK(complaint("\"a") == "byte 3: expected the end of a string");
  CHECK(complaint("\"\n\"") == "byte 2: expected the end of a string");
  CHECK(complaint("\"\\x\"") == "byte 3: expected an escape sequence");
  CHECK(complaint("\"\xFF\"") == "byte 2: expected UTF-8");
  for (const std::string_view text : {"[",
                                      "[1",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "01",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "1e",
                                      "-",
                                      "nul",
                                      "tru",
                                      "'a'",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      R"("\ud800")",
                                      R"("\udc00")",
                                      R"("\ud800\u0041")",
                                      "\"\xC0\x80\"",
                                      "\"\xED\xA0\x80\"",
                                      "\"\xF4\x90\x80\x80\"",
                                      "\"\xE2\x82\"",
                                      "[1] x",
                                      "[1]\v"}) {
    CAPTURE(text);
    CHECK(!complaint(text).empty());
    CHECK(!nlohmann::json::accept(text));
  }
}

TEST_CASE("A text changed at random is refused exactly where another reader refuses it", "[core][json]") {
  const std::string whole = R"({"a": [1, -2.5e3, "x\n\u00e9"], "b\\": {"": {}}, "c": [[], [0]]})"
                            "\xC3\xA9";
  const std::string_view marks = "{}[]\",:0123456789-.eE\\u \n\x80\xC3\xFF";
  RandomSequence random(RandomStream(Seed{3}, Stream::synthetic, 0));
  const auto below = [&random](std::size_t bound) { return random.below(static_cast<std::uint32_t>(bound)); };
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = whole.substr(0, whole.size() - 2 * below(2));
    for (std::uint32_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      switch (below(3)) {
        case 0:
          text[at] = marks[below(marks.size())];
          break;
        case 1:
          text.insert(at, 1, marks[below(marks.size())]);
          break;
        default:
          text.erase(at, 1);
      }
    }
    CAPTURE(text);
    bool valid = true;
    try {
      valid = !nlohmann::json::parse(text).is_discarded();
    } catch (const nlohmann::json::parse_error&) {
      valid = false;
    } catch (const nlohmann::json::out_of_range&) {
      continue;  // here a number's range is a matter of the type asked for
    }
    accepted += valid ? 1 : 0;
    REQUIRE(complaint(text).empty() == valid);
  }
  CHECK(accepted > 500);
}

TEST_CASE("Nothing nested costs more than its text", "[core][json]") {
  const std::string deep(1'000'000, '[');
  internal::JsonReader json(deep);
  for (std::size_t level = 0; level < deep.size(); ++level) {
    json.begin_array();
    if (level + 1 < deep.size()) {
      REQUIRE(json.next_element());
    }
  }
  CHECK_THROWS_AS((json.next_element() && json.kind() == internal::JsonKind::null), JsonError);
}

TEST_CASE("Numbers are read into the type asked for, or refused", "[core][json]") {
  const auto real = [](std::string_view text) { return internal::JsonReader(text).number<double>(); };
  const auto whole = [](std::string_view text) { return internal::JsonReader(text).number<std::uint8_t>(); };
  CHECK(real("0.1") == 0.1);
  CHECK(real("1e-08") == 1e-8);
  CHECK(internal::JsonReader("0.1").number<float>() == 0.1f);
  CHECK(whole("255") == 255);
  CHECK_THROWS_AS(real("1e999"), JsonError);
  for (const char* none : {"null", "", "x", "+1", ".5", "e1"}) {
    CAPTURE(none);
    CHECK_THROWS_WITH(real(none), "byte 1: expected a number");
  }
  CHECK_THROWS_WITH(real("-x"), "byte 2: expected a digit");
  CHECK_THROWS_WITH(real("1.x"), "byte 3: expected a digit");
  CHECK_THROWS_WITH(real("1e"), "byte 3: expected a digit");
  CHECK_THROWS_AS(whole("256"), JsonError);
  CHECK_THROWS_AS(whole("-1"), JsonError);
  CHECK_THROWS_AS(whole("1.0"), JsonError);
}

TEST_CASE("An object of known fields is read in any order, each field once", "[core][json]") {
  std::size_t count = 0;
  std::vector<double> losses;
  std::vector<std::string> names;
  const auto missing_in = [&](std::string_view text) {
    internal::JsonReader json(text);
    losses.clear();
    names.clear();
    const std::string_view missing = json.read_object(
        {{"count", json.into(count)}, {"losses", json.into(losses)}, {"names", json.into(names), false}}, "a field");
    json.end();
    return missing;
  };
  CHECK(missing_in(R"({"names": ["a", ""], "losses": [0.5, 2], "count": 7})") == "");
  CHECK(count == 7);
  CHECK(losses == std::vector{0.5, 2.0});
  CHECK(names == std::vector<std::string>{"a", ""});
  CHECK(missing_in(R"({"losses": [], "count": 7})") == "");
  CHECK(missing_in(R"({"names": []})") == "count");
  CHECK(missing_in(R"({"count": 7})") == "losses");
  CHECK_THROWS_WITH(missing_in(R"({"total": 7})"), "byte 10: expected a field");
  CHECK_THROWS_WITH(missing_in(R"({"count": 7, "count": 7})"), "byte 22: expected a field");
  CHECK_THROWS_WITH(missing_in(R"({"losses": [0.5, "a"]})"), "byte 18: expected a number");
}

TEST_CASE("An array is read up to as many elements as are asked for", "[core][json]") {
  const auto numbers = [](std::size_t most) {
    std::vector<double> values;
    internal::JsonReader("[1, 2]").read(values, most);
    return values;
  };
  CHECK(numbers(2) == std::vector{1.0, 2.0});
  CHECK_THROWS_WITH(numbers(1), "byte 4: expected an array of at most 1");
}

TEST_CASE("What is written is what another writer writes", "[core][json]") {
  for (const std::string_view text : {"", "a", "\"\\/\b\f\n\r\t\x01\x1F\x7F", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"}) {
    CAPTURE(text);
    CHECK(json_string(text) == nlohmann::json(text).dump());
  }
  CHECK_THROWS_AS(json_string("a\xFF"), JsonError);
  for (const std::string_view text : {"\xE2\x82", "\xC0\x80", "\xE0\x80\x80", "\xF0\x9F\x98", "\x80"}) {
    CHECK_THROWS_AS(json_string(text), JsonError);
  }
  CHECK(json_number(0.5) == "0.5");
  CHECK(json_number(std::size_t{18446744073709551615u}) == "18446744073709551615");
  CHECK(json_number(std::numeric_limits<double>::infinity()) == "null");
  CHECK(json_number(-std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(json_array(std::vector<double>{}) == "[]");
  CHECK(json_array(std::vector{0.5, 2.0}) == "[0.5,2]");
  CHECK(json_array(std::vector<std::string>{"a", "\""}) == R"(["a","\""])");
}
