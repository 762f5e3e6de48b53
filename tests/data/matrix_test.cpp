// SPDX-License-Identifier: MIT
#include "retort/data/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"

using namespace retort;
using namespace retort::test;

using Reals = data::Matrix<float>;

namespace {

std::vector<float> copied(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace

TEST_CASE("a matrix is laid out row by row") {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const Reals matrix(2, 3, values);
  CHECK(matrix.rows() == 2);
  CHECK(matrix.columns() == 3);
  CHECK(copied(matrix.values()) == values);
  CHECK(matrix.values().data() == matrix.data());
  CHECK(copied(matrix.row(0)) == std::vector<float>{1, 2, 3});
  CHECK(copied(matrix.row(1)) == std::vector<float>{4, 5, 6});
  CHECK(matrix(0, 2) == 3);
  CHECK(matrix(1, 0) == 4);
  CHECK((Reals{{1, 2, 3}, {4, 5, 6}} == matrix));
}

TEST_CASE("a new matrix is zero") {
  const Reals matrix(3, 2);
  CHECK(matrix.rows() == 3);
  CHECK(matrix.columns() == 2);
  CHECK(copied(matrix.values()) == std::vector<float>(6, 0.0f));
  CHECK(Reals().values().empty());
  CHECK((Reals(0, 2).columns() == 2 && Reals(2, 0).rows() == 2));
}

TEST_CASE("every way to an element is the same memory") {
  Reals matrix(2, 2);
  matrix(0, 1) = 1;
  matrix.row(1)[0] = 2;
  matrix.values()[3] = 3;
  matrix.data()[0] = 4;
  CHECK((matrix == Reals{{4, 1}, {2, 3}}));
  STATIC_REQUIRE(std::is_same_v<decltype(std::as_const(matrix).row(0)), std::span<const float>>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::as_const(matrix)(0, 0)), const float&>);
}

TEST_CASE("values moved in and out are not copied") {
  std::vector<float> values(6);
  const float* memory = values.data();
  Reals first(2, 3, std::move(values));
  CHECK(first.data() == memory);
  const Reals second = std::move(first);
  CHECK(second.data() == memory);
}

TEST_CASE("a matrix that was moved from is 0 x 0") {
  Reals first{{1, 2}, {3, 4}};
  Reals second = std::move(first);
  CHECK(first == Reals());
  first = std::move(second);
  CHECK(second == Reals());
  CHECK((first == Reals{{1, 2}, {3, 4}}));
  Reals& itself = first;
  first = std::move(itself);
  CHECK((first == Reals{{1, 2}, {3, 4}}));
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Reals>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<Reals>);
}

TEST_CASE("a copy is its own") {
  Reals original{{1, 2}};
  const Reals copy = original;
  original(0, 0) = 9;
  CHECK((copy == Reals{{1, 2}}));
}

TEST_CASE("matrices are equal when extents and values are") {
  const Reals matrix{{1, 2}, {3, 4}};
  CHECK((matrix == Reals(2, 2, {1, 2, 3, 4})));
  CHECK((matrix != Reals{{1, 2}, {3, 5}}));
  CHECK((matrix != Reals{{1, 2, 3, 4}}));
  CHECK((Reals(0, 2) != Reals(0, 3)));
}

TEST_CASE("values that do not fill the extents are refused") {
  const auto refusal = [](std::size_t rows, std::size_t columns, std::size_t count) {
    return message_of<ShapeError>([&] { Reals(rows, columns, std::vector<float>(count)); });
  };
  CHECK(refusal(2, 3, 6) == "<no exception>");
  CHECK(refusal(2, 3, 5) == "matrix: 5 values, expected 6 for 2 x 3");
  CHECK(refusal(2, 3, 7) == "matrix: 7 values, expected 6 for 2 x 3");
  CHECK(contains(refusal(0, 3, 1), "expected 0 for 0 x 3"));
  CHECK(message_of<ShapeError>([] { Reals{{1, 2}, {3}}; }) == "matrix: row 1 has 1 values, expected 2 as in the first");
  CHECK(contains(message_of<ShapeError>([] { Reals{{1}, {2}, {3, 4}}; }), "row 2 has 2 values, expected 1"));
}

TEST_CASE("a matrix beyond any memory is refused") {
  constexpr std::size_t half = std::size_t{1} << 32;  // half * half is 0 in 64 bits: no values at all would "fit"
  CHECK(contains(message_of<ShapeError>([&] { Reals(half, half); }), "more than any memory can hold"));
  CHECK(contains(message_of<ShapeError>([&] { Reals(half, half, std::vector<float>{}); }), "4294967296 x 4294967296"));
  CHECK(contains(message_of<ShapeError>([] { Reals(std::numeric_limits<std::size_t>::max(), 1); }), "more than any"));
}
