// SPDX-License-Identifier: MIT
// Floats and bytes as bfloat16 numbers.

#include "retort/backend/cuda/block/bf16_pieces.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include "catch.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;
using namespace retort::backend::block;

float lower_number(std::uint32_t pair) { return retort::internal::float_of(pair << 16); }
float upper_number(std::uint32_t pair) { return retort::internal::float_of(pair & 0xFFFF0000u); }

TEST_CASE("Three bfloat16 numbers are exactly a float", "[block]") {
  const auto check = [](float first, float second) {
    std::uint32_t pieces[bf16_pieces];
    split_into_bf16(first, second, pieces);
    double sums[2] = {};
    for (const std::uint32_t pair : pieces) {
      sums[0] += double{lower_number(pair)};
      sums[1] += double{upper_number(pair)};
    }
    CHECK(sums[0] == double{first});
    CHECK(sums[1] == double{second});
    // The largest comes first: what follows it is below its last place.
    CHECK(std::abs(lower_number(pieces[1])) <= std::abs(lower_number(pieces[0])) * 0x1p-7f);
    CHECK(std::abs(upper_number(pieces[2])) <= std::abs(upper_number(pieces[0])) * 0x1p-15f);
  };
  const auto values = test::random_values<float>(1000, 1);
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    check(values[i], std::ldexp(values[i + 1], static_cast<int>(i % 200) - 100));
  }
  constexpr float largest = std::numeric_limits<float>::max();
  check(0.0f, -0.0f);
  check(largest, -largest);
  check(1.0f, std::nextafter(1.0f, 2.0f));
  check(std::nextafter(2.0f, 1.0f), -std::nextafter(0x1p-100f, 0.0f));
  check(0x1.fffffep-110f, -0x1.000002p-110f);

  SECTION("What is no number stays none") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const float value : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
      std::uint32_t pieces[bf16_pieces];
      split_into_bf16(value, 1.0f, pieces);
      CHECK(std::isnan(lower_number(pieces[0]) + lower_number(pieces[1]) + lower_number(pieces[2])));
      CHECK(upper_number(pieces[0]) + upper_number(pieces[1]) + upper_number(pieces[2]) == 1.0f);
    }
  }
}

TEST_CASE("Each byte is a bfloat16 number", "[block]") {
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const std::uint32_t pair = bf16_bytes(byte | (255 - byte) << 16);
    CHECK(lower_number(pair) * bf16_byte_unit == static_cast<float>(byte));
    CHECK(upper_number(pair) * bf16_byte_unit == static_cast<float>(255 - byte));
  }
}

TEST_CASE("Each byte less a center is a bfloat16 number", "[block]") {
  for (const float center : {0.0f, 1.0f, 51.0f, 127.5f, 128.0f, 255.0f}) {
    CAPTURE(center);
    REQUIRE(is_byte_center(center));
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t pair = bf16_bytes(byte | (255 - byte) << 16, bf16_center(center));
      CHECK(lower_number(pair) * bf16_byte_unit == static_cast<float>(byte) - center);
      CHECK(upper_number(pair) * bf16_byte_unit == static_cast<float>(255 - byte) - center);
    }
  }
  for (const float center : {-1.0f, 0.5f, 127.0f + 0x1p-10f, 126.5f, 256.0f}) {
    CAPTURE(center);
    CHECK_FALSE(is_byte_center(center));
  }
}

TEST_CASE("Bytes are selected by the digits of a number", "[block]") {
  CHECK(backend::block::detail::select_bytes(0x33221100u, 0x77665544u, 0x5140u) == 0x55114400u);
  CHECK(backend::block::detail::select_bytes(0x33221100u, 0x77665544u, 0x7632u) == 0x77663322u);
  CHECK(backend::block::detail::select_bytes(0x33221100u, 0, 0x4342u) == 0x00330022u);
}

}  // namespace
