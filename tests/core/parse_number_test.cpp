// SPDX-License-Identifier: MIT
#include "retort/core/parse_number.hpp"

#include <bit>
#include <cerrno>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "catch.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "temporary_folder.hpp"

namespace rt = retort;

namespace {

template <typename Number>
std::optional<Number> parsed(std::string_view text) {
  Number value{42};
  if (rt::parse_number(text, value)) {
    return value;
  }
  CHECK(value == Number{42});
  return std::nullopt;
}

// By the standard library's reader where it has one, and by the C library's.
template <typename Number>
std::optional<Number> parsed_by_both(std::string_view text) {
  Number value{42};
  const bool whole = rt::detail::parse_by_strtod(text, value);
  const std::optional<Number> expected = parsed<Number>(text);
  CHECK(whole == expected.has_value());
  if (whole && expected) {
    CHECK((value == *expected || (std::isnan(value) && std::isnan(*expected))));
    CHECK(std::signbit(value) == std::signbit(*expected));
  }
  return expected;
}

}  // namespace

TEST_CASE("a decimal is read as the nearest number", "[core][parse_number]") {
  CHECK(parsed_by_both<double>("0.1") == 0.1);
  CHECK(parsed_by_both<double>("-1.5e3") == -1500.0);
  CHECK(parsed_by_both<double>("7") == 7.0);
  CHECK(parsed_by_both<double>(".5") == 0.5);
  CHECK(parsed_by_both<double>("5.") == 5.0);
  CHECK(parsed_by_both<double>("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(parsed_by_both<double>("4.9e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(parsed_by_both<double>("2.2250738585072011e-308") == 2.2250738585072011e-308);
  CHECK(parsed_by_both<float>("1e-45") == std::numeric_limits<float>::denorm_min());
  CHECK(parsed_by_both<double>("inf") == std::numeric_limits<double>::infinity());
  CHECK(parsed_by_both<double>("-Infinity") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(parsed_by_both<double>("nan").value_or(0)));
  CHECK(std::signbit(parsed_by_both<double>("-0").value_or(1)));
  CHECK(parsed<int>("-12") == -12);
  CHECK(parsed<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());

  // A float is rounded once, not by way of a double: this is a little more than halfway between two of them.
  const std::string halfway = "1.00000005960464477540";
  CHECK(parsed_by_both<float>(halfway) == 1.0F + std::numeric_limits<float>::epsilon());
}

TEST_CASE("what is not one whole number in range is none", "[core][parse_number]") {
  for (const std::string_view text :
       {"",     "-",      "+1",  " 1", "1 ", "\t1",   "--1",    "1,5",    "1.5x",    "e5", "1e",
        "0x10", "-0X1p3", "one", ".",  "i",  "1e999", "-1e999", "1e-999", "infinit", "\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parsed_by_both<double>(text));
    CHECK_FALSE(parsed_by_both<float>(text));
  }
  CHECK_FALSE(parsed_by_both<double>(std::string_view("1\0", 2)));
  CHECK_FALSE(parsed_by_both<float>("1e39"));
  CHECK_FALSE(parsed<int>("1.0"));
  CHECK_FALSE(parsed<unsigned>("-1"));
  CHECK_FALSE(parsed<std::uint8_t>("256"));
}

TEST_CASE("every number reads back to the bits from which it was written", "[core][parse_number]") {
  rt::RandomSequence random{rt::RandomStream{rt::Seed{7}, rt::Stream::synthetic, 0}};
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t bits = std::uint64_t{random.next_word()} << 32 | random.next_word();
    const auto number = std::bit_cast<double>(bits);
    const auto small = std::bit_cast<float>(random.next_word());
    if (std::isfinite(number)) {
      REQUIRE(parsed_by_both<double>(rt::to_text(number)) == number);
    }
    if (std::isfinite(small)) {
      REQUIRE(parsed_by_both<float>(rt::to_text(small)) == small);
    }
  }
}

TEST_CASE("errno stays as it was", "[core][parse_number]") {
  errno = EDOM;
  CHECK_FALSE(parsed_by_both<double>("1e999"));
  CHECK(errno == EDOM);
}

TEST_CASE("a locale with a decimal comma changes nothing", "[core][parse_number]") {
  const rt::test::TemporaryFolder folder;
  const std::string name = "de_DE.UTF-8";
  const std::string make = "localedef -i de_DE -f UTF-8 '" + (folder.path() / name).string() + "' 2>/dev/null";
  [[maybe_unused]] const int made = std::system(make.c_str());
  setenv("LOCPATH", folder.path().c_str(), 1);
  const bool found = std::setlocale(LC_ALL, name.c_str()) != nullptr;
  unsetenv("LOCPATH");
  if (!found) {
    rt::test::skip("there is no locale with a decimal comma: localedef cannot make de_DE.UTF-8");
    return;
  }
  CHECK(std::strtod("1,5", nullptr) == 1.5);
  CHECK(parsed_by_both<double>("1.5") == 1.5);
  CHECK_FALSE(parsed_by_both<double>("1,5"));
  CHECK(std::strtod("1,5", nullptr) == 1.5);
  std::setlocale(LC_ALL, "C");
}
