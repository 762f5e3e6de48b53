// SPDX-License-Identifier: MIT
/// JsonReader on any text: it agrees with nlohmann/json on what is JSON and on what stands in it. Text written as a
/// JSON string reads back.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"

namespace {

using retort::JsonError;
using retort::fuzz::require;
using retort::internal::JsonKind;
using retort::internal::JsonReader;

/// What stands in a text, one thing after another.
struct Event {
  char kind;  // { } [ ] k(ey) s(tring) n(umber)
  std::string text{};
  double number = 0.0;
  friend bool operator==(const Event&, const Event&) = default;
};
using Events = std::vector<Event>;

/// An integer as the library reads it is spelled as the library writes it.
template <typename Integer>
void check_integer(std::string_view text) {
  try {
    const auto value = JsonReader(text).number<Integer>();
    require(retort::to_text(value) == text || (value == 0 && text == "-0"), "an integer has one spelling");
  } catch (const JsonError&) {
  }
}

/// Throws JsonError; nothing where the text holds true, false or null, which JsonReader tells apart and does not take.
std::optional<Events> read(std::string_view text) {
  JsonReader json(text);
  Events events;
  std::vector<bool> open;  // true: an object
  for (bool whole = false; !whole;) {
    if (!open.empty()) {
      std::string key;
      const bool goes_on = open.back() ? json.next_key(key) : json.next_element();
      if (!goes_on) {
        events.push_back({open.back() ? '}' : ']'});
        open.pop_back();
        whole = open.empty();
        continue;
      }
      if (open.back()) {
        events.push_back({'k', key});
      }
    }
    switch (json.kind()) {
      case JsonKind::object:
        json.begin_object();
        events.push_back({'{'});
        open.push_back(true);
        break;
      case JsonKind::array:
        json.begin_array();
        events.push_back({'['});
        open.push_back(false);
        break;
      case JsonKind::string:
        events.push_back({'s', json.string()});
        break;
      case JsonKind::number: {
        JsonReader again = json;
        const std::string_view digits = again.number();
        check_integer<std::uint64_t>(digits);
        check_integer<std::int64_t>(digits);
        check_integer<std::uint8_t>(digits);
        events.push_back({'n', {}, json.number<double>()});
        break;
      }
      default:
        return std::nullopt;
    }
    whole = open.empty();
  }
  json.end();
  return events;
}

struct Nlohmann : nlohmann::json_sax<nlohmann::json> {
  Events events;
  bool rounds_to_zero = false;  // some number that is not zero does

  bool add(Event event) {
    events.push_back(std::move(event));
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t value) override { return add({'n', {}, static_cast<double>(value)}); }
  bool number_unsigned(number_unsigned_t value) override { return add({'n', {}, static_cast<double>(value)}); }
  bool number_float(number_float_t value, const string_t& text) override {
    const std::string_view digits = std::string_view(text).substr(0, text.find_first_of("eE"));
    rounds_to_zero = rounds_to_zero || (value == 0.0 && digits.find_first_of("123456789") != digits.npos);
    return add({'n', {}, value});
  }
  bool string(string_t& value) override { return add({'s', value}); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return add({'{'}); }
  bool key(string_t& value) override { return add({'k', value}); }
  bool end_object() override { return add({'}'}); }
  bool start_array(std::size_t /*size*/) override { return add({'['}); }
  bool end_array() override { return add({']'}); }
  bool parse_error(std::size_t /*place*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }
};

void check_string(std::string_view text) {
  const std::optional<std::string> written = retort::fuzz::accepted([&] { return retort::json_string(text); });
  if (written) {
    require(JsonReader(*written).string() == text, "a string reads back");
    require(nlohmann::json::parse(*written).get<std::string>() == text, "nlohmann/json reads a string back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = retort::fuzz::text_of(data, size);
  check_string(text);
  const std::optional<std::optional<Events>> own = retort::fuzz::accepted([&] { return read(text); });
  // nlohmann/json takes a zero byte for the end of the text, and passes over a byte order mark.
  if ((own && !*own) || text.find('\0') != std::string_view::npos || text.starts_with('\xEF')) {
    return 0;
  }
  Nlohmann other;
  const bool others = nlohmann::json::sax_parse(text, &other);
  // As std::from_chars, JsonReader refuses a number that rounds to zero; strtod, and so nlohmann/json, takes it.
  if (other.rounds_to_zero) {
    return 0;
  }
  require(own.has_value() == others, "JsonReader and nlohmann/json agree on what is JSON");
  require(!own || **own == other.events, "JsonReader and nlohmann/json read the same");
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  return {
      {"object", R"({"loss": [0.5, 0.25], "name": "a \"quoted\" \u00e9\ud83d\ude00", "n": -0, "e": {}})"},
      {"array", "[ 1 ,2.5e-3,\t-17, [], [[\"\"]] ]\n"},
      {"number", "-1.7976931348623157e308"},
      {"integer", "18446744073709551615"},
      {"beyond_double", "1e999"},
      {"below_double", "[1e-999, -1e-400, 4.9e-324]"},
      {"literals", "[true, false, null]"},
      {"escapes", R"("\"\\\/\b\f\n\r\t\u0000\u007f")"},
      {"utf8", "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\""},
      {"half_a_pair", R"("\ud83d")"},
      {"unfinished_escape", "\"\\"},
      {"unfinished_string", "\"abc"},
      {"deep", std::string(2'000, '[') + std::string(2'000, ']')},
      {"trailing_comma", "[1,]"},
      {"leading_zero", "[01]"},
      {"nothing", ""},
  };
}
