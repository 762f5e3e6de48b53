// SPDX-License-Identifier: MIT
#include "retort/simd/transpose.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "simd/vectors.hpp"

namespace {

using namespace retort;

TEMPLATE_LIST_TEST_CASE("Matrices of every shape are transposed, and nothing beside them is written", "[simd]",
                        test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  for (const std::size_t rows : {std::size_t{1}, std::size_t{5}, std::size_t{16}, std::size_t{35}}) {
    for (const std::size_t columns : {std::size_t{1}, std::size_t{4}, std::size_t{16}, std::size_t{33}}) {
      CAPTURE(rows, columns);
      const std::size_t from_stride = columns + 2;
      const std::size_t to_stride = rows + 3;
      const auto from = test::random_values<Scalar>(rows * from_stride, 1);
      std::vector<Scalar> expected(columns * to_stride, Scalar{9});
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c) {
          expected[c * to_stride + r] = from[r * from_stride + c];
        }
      }
      std::vector<Scalar> to(columns * to_stride, Scalar{9});
      simd::transpose<V>({from.data(), from_stride}, rows, columns, {to.data(), to_stride});
      CHECK(to == expected);
    }
  }
}

template <std::size_t Squares>
void check_byte_squares() {
  CAPTURE(Squares);
  constexpr std::size_t height = 16 * Squares;
  std::vector<std::uint8_t> bytes(height * 19);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  std::array<const std::uint8_t*, height> rows{};
  for (std::size_t r = 0; r < height; ++r) {
    rows[r] = bytes.data() + 19 * (height - 1 - r);
  }
  std::array<std::array<std::uint8_t, height>, 16> columns{};
  simd::transpose_bytes<Squares>(rows.data(), 2, [&](std::size_t column, const auto& packed) {
    static_assert(sizeof(packed) == height);
    std::memcpy(columns[column].data(), &packed, height);
  });
  for (std::size_t c = 0; c < 16; ++c) {
    for (std::size_t r = 0; r < height; ++r) {
      REQUIRE(columns[c][r] == rows[r][2 + c]);
    }
  }
}

TEMPLATE_TEST_CASE("Squares of bytes are transposed", "[simd]", simd::Vector<float>) {
  check_byte_squares<1>();
  // Wider ones only where a register holds them: compilers warn of vectors that are none.
  if constexpr (sizeof(TestType) >= 32) {
    check_byte_squares<2>();
  }
  if constexpr (sizeof(TestType) >= 64) {
    check_byte_squares<4>();
  }
}

}  // namespace
