// SPDX-License-Identifier: MIT
#include "retort/core/text.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "catch.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/philox.hpp"

using retort::to_text;

TEST_CASE("Numbers read back to the same bits", "[core][text]") {
  const auto read_back = [](const std::string& text) {
    double value = 0;
    REQUIRE(retort::parse_number(text, value));
    return value;
  };
  retort::RandomSequence numbers{retort::RandomStream{retort::Seed{1}, retort::Stream::synthetic, 0}};
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t bits = std::uint64_t{numbers.next_word()} << 32 | numbers.next_word();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) {
      CHECK(read_back(to_text(value)) == value);
    }
  }
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.1, 1.0 / 3, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min()}) {
    CHECK(read_back(to_text(value)) == value);
  }
}

TEST_CASE("Numbers are written as short as they can be", "[core][text]") {
  CHECK(to_text(2e-4) == "0.0002");
  CHECK(to_text(0.5) == "0.5");
  CHECK(to_text(4.0) == "4");
  CHECK(to_text(-0.0) == "-0");
  CHECK(to_text(1e-8) == "1e-08");
  CHECK(to_text(0.1f) == "0.1");
  CHECK(to_text(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(to_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(to_text(7) == "7");
  CHECK(to_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(to_text(true) == "true");
  CHECK(to_text(false) == "false");
}

TEST_CASE("A text is put together from parts of every kind", "[core][text]") {
  CHECK(retort::concatenate({}).empty());
  const std::string name = "x";
  CHECK(retort::concatenate({"a ", name, std::string_view("bc").substr(1), ' ', 7, -1, true, 0.1f, 2e-4}) ==
        "a xc 7-1true0.10.0002");
  CHECK(retort::concatenate({static_cast<unsigned char>('0'), static_cast<signed char>(-3)}) == "48-3");
}
