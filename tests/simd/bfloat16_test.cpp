// SPDX-License-Identifier: MIT
#include "retort/simd/bfloat16.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/simd/plain_vector.hpp"
#include "retort/simd/vector.hpp"
#include "simd/vectors.hpp"

namespace {

using namespace retort;
using FloatVectors = std::tuple<simd::Vector<float>, simd::PlainVector<float, 4>>;

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

TEMPLATE_LIST_TEST_CASE("Words hold two rounded numbers, the first below", "[simd]", FloatVectors) {
  using V = TestType;
  constexpr std::size_t lanes = simd::lanes<V>;
  const auto values = test::random_values<float>(2 * lanes, 5);
  const V first = simd::load<V>(values.data());
  const V second = simd::load<V>(values.data() + lanes);
  const auto word = [](float low, float high) {
    return std::uint32_t{internal::to_bfloat16(high)} << 16 | internal::to_bfloat16(low);
  };
  const auto pairs = test::elements(simd::pair_words(first, second));
  const auto neighbours = test::elements(simd::neighbour_words(first, second));
  for (std::size_t i = 0; i < lanes; ++i) {
    CAPTURE(i);
    CHECK(bits(pairs[i]) == word(values[i], values[lanes + i]));
    CHECK(bits(neighbours[i]) == word(values[2 * i], values[2 * i + 1]));
  }
  for (std::size_t count = 0; count <= 2 * lanes; ++count) {
    CAPTURE(count);
    std::vector<float> words(3 * lanes, 99.0f);
    simd::write_neighbour_words<V>(values.data(), count, words.data());
    const std::size_t written = count == 0 ? 0 : lanes;
    for (std::size_t i = 0; i < written; ++i) {
      const float low = 2 * i < count ? values[2 * i] : 0.0f;
      const float high = 2 * i + 1 < count ? values[2 * i + 1] : 0.0f;
      REQUIRE(bits(words[i]) == word(low, high));
    }
    REQUIRE(words[written] == 99.0f);
  }
}

TEMPLATE_LIST_TEST_CASE("A product of words is that of both halves", "[simd]", FloatVectors) {
  using V = TestType;
  constexpr std::size_t lanes = simd::lanes<V>;
  const auto left = test::random_values<float>(2 * lanes, 6);
  const auto right = test::random_values<float>(2 * lanes, 7);
  const auto sums = test::random_values<float>(lanes, 8);
  const V found = simd::MultiplyWords{}(
      simd::pair_words(simd::load<V>(left.data()), simd::load<V>(left.data() + lanes)),
      simd::pair_words(simd::load<V>(right.data()), simd::load<V>(right.data() + lanes)), simd::load<V>(sums.data()));
  const auto rounded = [](float value) { return double{internal::bfloat16_to_float(internal::to_bfloat16(value))}; };
  for (std::size_t i = 0; i < lanes; ++i) {
    const double expected =
        double{sums[i]} + rounded(left[i]) * rounded(right[i]) + rounded(left[lanes + i]) * rounded(right[lanes + i]);
    CHECK_THAT(double{test::elements(found)[i]},
               WithinAbs(expected, 4 * double{std::numeric_limits<float>::epsilon()}));
  }
}

}  // namespace
