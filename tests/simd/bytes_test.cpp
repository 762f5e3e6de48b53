// SPDX-License-Identifier: MIT
#include "retort/simd/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "simd/vectors.hpp"

namespace {

using namespace retort;

TEMPLATE_LIST_TEST_CASE("Every byte becomes its number", "[simd]", test::Vectors) {
  using V = TestType;
  std::vector<std::uint8_t> bytes(256 + simd::lanes<V>);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  for (std::size_t first = 0; first < 256; ++first) {
    std::vector<simd::ScalarOf<V>> values(simd::lanes<V>);
    simd::load_bytes<V>(bytes.data() + first).store_unaligned(values.data());
    for (std::size_t i = 0; i < simd::lanes<V>; ++i) {
      REQUIRE(values[i] == static_cast<simd::ScalarOf<V>>((first + i) % 256));
    }
  }
}

}  // namespace
