// SPDX-License-Identifier: MIT
#include "retort/predict/decimal.hpp"

#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "retort/core/parse_number.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"

namespace {

using namespace retort;

bool agrees(std::uint64_t digits, int exponent) {
  double expected = -1;
  double found = -1;
  const std::string text = concatenate({digits, "e", exponent});
  return parse_number(text, expected) && internal::nearest_double(digits, exponent, found) && found == expected;
}

TEST_CASE("A decimal becomes the nearest double") {
  CHECK(agrees(0, 300));
  CHECK(agrees(13070000000000000ull, -17));
  CHECK(agrees(9007199254740993ull, 0));      // a tie
  CHECK(agrees(9007199254740995ull, 0));      // to the even one
  CHECK(agrees(17976931348623157ull, 292));   // the largest
  CHECK(agrees(22250738585072014ull, -324));  // the smallest normal one
  CHECK(agrees(5, -324));                     // the smallest
  CHECK(agrees(std::numeric_limits<std::uint64_t>::max(), 22));
  RandomSequence random{RandomStream{Seed{1}, Stream::synthetic, 0}};
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t digits = std::uint64_t{random.next_word()} << 32 | random.next_word();
    const auto exponent = static_cast<int>(random.next_word() % 61) - 40;
    CHECK(agrees(digits >> random.next_word() % 64, exponent));
  }
}

TEST_CASE("A decimal beyond the doubles is refused") {
  double value = 7;
  CHECK_FALSE(internal::nearest_double(18, 307, value));
  CHECK_FALSE(internal::nearest_double(1, 341, value));
  CHECK_FALSE(internal::nearest_double(1, -341, value));
  CHECK(value == 7);
}

}  // namespace
