// SPDX-License-Identifier: MIT
#include "retort/simd/tile.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "simd/vectors.hpp"

namespace {

using namespace retort;
using retort::test::random_values;

/// What a sum of `depth` products of numbers below 1 may differ by.
template <typename Scalar>
double tolerance(std::size_t depth) {
  return static_cast<double>(depth + 2) * double{std::numeric_limits<Scalar>::epsilon()};
}

template <typename V, std::size_t Rows, std::size_t Vectors>
void check_outer_tile(std::size_t depth, bool along_rows) {
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t columns = Vectors * simd::lanes<V>;
  CAPTURE(Rows, Vectors, depth, along_rows);
  const std::size_t stride = columns + 3;
  const auto scalars = random_values<Scalar>(Rows * std::max<std::size_t>(depth, 1), 1);
  const auto vectors = random_values<Scalar>((depth + 1) * stride, 2);
  const std::size_t row_stride = along_rows ? depth : 1;
  const std::size_t depth_stride = along_rows ? 1 : Rows;
  simd::Tile<V, Rows, Vectors> tile;
  tile.fill(Scalar{0.5});
  simd::outer_tile<V, Rows, Vectors>(tile, {scalars.data(), row_stride, depth_stride},
                                     simd::VectorOperand<Scalar>{vectors.data(), stride}, depth);
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      double expected = 0.5;
      for (std::size_t d = 0; d < depth; ++d) {
        expected += static_cast<double>(scalars[r * row_stride + d * depth_stride]) *
                    static_cast<double>(vectors[d * stride + c]);
      }
      std::vector<Scalar> found(simd::lanes<V>);
      tile.sums[r][c / simd::lanes<V>].store_unaligned(found.data());
      REQUIRE_THAT(static_cast<double>(found[c % simd::lanes<V>]), WithinAbs(expected, tolerance<Scalar>(depth)));
    }
  }
}

TEMPLATE_LIST_TEST_CASE("outer_tile is a product of scalars and vectors", "[simd]", test::Vectors) {
  using V = TestType;
  for (const bool along_rows : {true, false}) {
    for (const std::size_t depth : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
      check_outer_tile<V, simd::tile_rows, simd::tile_vectors<V>>(depth, along_rows);
      check_outer_tile<V, 1, 1>(depth, along_rows);
      check_outer_tile<V, 3, 2>(depth, along_rows);
    }
  }
}

TEMPLATE_LIST_TEST_CASE("outer_tile takes bytes as the numbers that they are", "[simd]", test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t rows = 3;
  constexpr std::size_t depth = 9;
  constexpr std::size_t columns = 2 * simd::lanes<V>;
  const auto scalars = random_values<Scalar>(rows * depth, 1);
  std::vector<std::uint8_t> bytes(depth * columns);
  std::vector<Scalar> numbers(bytes.size());
  std::vector<const std::uint8_t*> byte_rows(depth);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(37 * i);
    numbers[i] = static_cast<Scalar>(bytes[i]);
  }
  for (std::size_t d = 0; d < depth; ++d) {
    byte_rows[d] = bytes.data() + d * columns;
  }
  const auto product = [&](const auto& operand) {
    simd::Tile<V, rows, 2> tile;
    tile.fill(Scalar{0});
    simd::outer_tile<V, rows, 2>(tile, {scalars.data(), depth, 1}, operand, depth);
    std::vector<Scalar> sums(rows * columns);
    for (std::size_t i = 0; i < 2 * rows; ++i) {
      tile.sums[i / 2][i % 2].store_unaligned(sums.data() + i * simd::lanes<V>);
    }
    return sums;
  };
  const auto expected = product(simd::VectorOperand<Scalar>{numbers.data(), columns});
  CHECK(product(simd::ByteOperand{bytes.data(), columns}) == expected);
  CHECK(product(simd::ByteRowsOperand{byte_rows.data(), 0}) == expected);
}

template <typename V, std::size_t Rows, std::size_t Columns>
void check_dot_tile(std::size_t depth) {
  using Scalar = simd::ScalarOf<V>;
  CAPTURE(Rows, Columns, depth);
  const std::size_t stride = depth + 1;
  const auto left = random_values<Scalar>(Rows * stride, 1);
  const auto right = random_values<Scalar>(Columns * stride, 2);
  std::vector<Scalar> found(Rows * Columns + 1, Scalar{99});
  simd::dot_tile<V, Rows, Columns>({left.data(), stride}, {right.data(), stride}, depth, found.data());
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t c = 0; c < Columns; ++c) {
      double expected = 0.0;
      for (std::size_t d = 0; d < depth; ++d) {
        expected += static_cast<double>(left[r * stride + d]) * static_cast<double>(right[c * stride + d]);
      }
      REQUIRE_THAT(static_cast<double>(found[r * Columns + c]), WithinAbs(expected, tolerance<Scalar>(depth)));
    }
  }
  CHECK(found.back() == Scalar{99});  // nothing is written behind the result
}

TEMPLATE_LIST_TEST_CASE("dot_tile is a product of two matrices contiguous along the depth", "[simd]", test::Vectors) {
  using V = TestType;
  for (const std::size_t depth : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{100}}) {
    check_dot_tile<V, 1, simd::lanes<V>>(depth);
    check_dot_tile<V, 1, 1>(depth);
    check_dot_tile<V, 2, 3>(depth);
    check_dot_tile<V, 4, 4>(depth);
  }
}

TEMPLATE_LIST_TEST_CASE("The elements of a vector are added up", "[simd]", test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  const auto values = random_values<Scalar>(simd::lanes<V>, 9);
  double expected = 0.0;
  for (const Scalar value : values) {
    expected += static_cast<double>(value);
  }
  CHECK_THAT(static_cast<double>(simd::sum_lanes(simd::load<V>(values.data()))),
             WithinAbs(expected, tolerance<Scalar>(simd::lanes<V>)));
}

}  // namespace
