// SPDX-License-Identifier: MIT
#include "retort/core/matrix_view.hpp"

#include <array>
#include <type_traits>

#include "catch.hpp"

using namespace retort;

TEST_CASE("A view sees rows that lie apart", "[core]") {
  std::array<int, 12> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const MatrixView<int> whole(values.data(), 3, 4);
  CHECK(whole.stride == 4);
  CHECK(whole(2, 3) == 11);
  const MatrixView<int> left(values.data(), 3, 2, 4);
  CHECK(left(1, 1) == 5);
  CHECK(left.row(2) == values.data() + 8);
  const MatrixView<int> last = left.rows_from(1, 2);
  CHECK(last.rows == 2);
  CHECK(last.columns == 2);
  CHECK(last(1, 0) == 8);
  const MatrixView<int> inner = whole.columns_from(1, 2);
  CHECK(inner.rows == 3);
  CHECK(inner.columns == 2);
  CHECK(inner(2, 1) == 10);
  last(0, 1) = -5;
  CHECK(values[5] == -5);
}

TEST_CASE("A view that writes becomes one that reads, and not the other way", "[core]") {
  static_assert(std::is_convertible_v<MatrixView<int>, MatrixView<const int>>);
  static_assert(!std::is_convertible_v<MatrixView<const int>, MatrixView<int>>);
  int value = 7;
  const MatrixView<const int> read = MatrixView<int>(&value, 1, 1, 5);
  CHECK(read(0, 0) == 7);
  CHECK(read.stride == 5);
  CHECK(MatrixView<int>{}.data == nullptr);
}
