// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/product.hpp"

#include <Eigen/Core>
#include <cstddef>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/core/matrix_view.hpp"

namespace {

using namespace retort::backend::detail;
using retort::MatrixView;
using retort::backend::Transpose;
using retort::test::largest_difference;
using retort::test::random_values;

template <typename T>
using Matrix = Eigen::Map<T, 0, Eigen::OuterStride<>>;
template <typename Scalar>
using Dynamic = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <typename T, typename View>
Matrix<T> map(const View& view) {
  return {view.data, static_cast<Eigen::Index>(view.rows), static_cast<Eigen::Index>(view.columns),
          Eigen::OuterStride<>(static_cast<Eigen::Index>(view.stride))};
}

template <typename Scalar, Transpose left_transpose, Transpose right_transpose>
void check_product(std::size_t rows, std::size_t columns, std::size_t depth) {
  CAPTURE(rows, columns, depth, sizeof(Scalar));
  // Each matrix lies in a larger one.
  const auto [left_rows, left_columns] =
      left_transpose == Transpose::yes ? std::pair(depth, rows) : std::pair(rows, depth);
  const auto [right_rows, right_columns] =
      right_transpose == Transpose::yes ? std::pair(columns, depth) : std::pair(depth, columns);
  const std::size_t result_stride = columns + 2;
  const auto left_values = random_values<Scalar>(left_rows * (left_columns + 3), 1);
  const auto right_values = random_values<Scalar>(right_rows * (right_columns + 5), 2);
  const auto before = random_values<Scalar>(rows * result_stride, 3);
  const MatrixView left(left_values.data(), left_rows, left_columns, left_columns + 3);
  const MatrixView right(right_values.data(), right_rows, right_columns, right_columns + 5);

  std::vector<Scalar> expected = before;
  const Dynamic<Scalar> l = map<const Dynamic<Scalar>>(left);
  const Dynamic<Scalar> r = map<const Dynamic<Scalar>>(right);
  map<Dynamic<Scalar>>(MatrixView(expected.data(), rows, columns, result_stride)) +=
      (left_transpose == Transpose::yes ? Dynamic<Scalar>(l.transpose()) : l) *
      (right_transpose == Transpose::yes ? Dynamic<Scalar>(r.transpose()) : r);

  std::vector<Scalar> result = before;
  add_product<left_transpose, right_transpose>(left, right, MatrixView(result.data(), rows, columns, result_stride));
  const double tolerance = (sizeof(Scalar) == 4 ? 2e-7 : 4e-16) * static_cast<double>(depth);
  CHECK(largest_difference(result, expected) < tolerance + (sizeof(Scalar) == 4 ? 1e-6 : 1e-15));
  // What lies between the rows is not touched.
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = columns; column < result_stride; ++column) {
      REQUIRE(result[row * result_stride + column] == before[row * result_stride + column]);
    }
  }
}

TEMPLATE_TEST_CASE("add_product adds the product that Eigen's operator* gives", "[backend]", float, double) {
  struct Sizes {
    std::size_t rows, columns, depth;
  };
  for (const auto [rows, columns, depth] : {Sizes{1, 1, 1}, Sizes{3, 5, 7}, Sizes{48, 1, 784}, Sizes{48, 64, 300},
                                            Sizes{53, 17, 1}, Sizes{200, 150, 257}}) {
    check_product<TestType, Transpose::no, Transpose::no>(rows, columns, depth);
    check_product<TestType, Transpose::no, Transpose::yes>(rows, columns, depth);
    check_product<TestType, Transpose::yes, Transpose::no>(rows, columns, depth);
    check_product<TestType, Transpose::yes, Transpose::yes>(rows, columns, depth);
  }
}

TEST_CASE("Backends of one thread have the products of the backend whose threads they take", "[product]") {
  const retort::backend::AddProduct<float> mine = [](retort::backend::MatrixOperand<float>,
                                                     retort::backend::MatrixOperand<float>, MatrixView<float>) {};
  const retort::backend::Eigen cpu{2, {.name = "mine", .add_float = mine}};
  std::vector<int> kept(5);
  retort::backend::for_each_on_one_thread(
      cpu, kept.size(), [&](std::size_t index, const retort::backend::Eigen& alone) {
        kept[index] = alone.threads() == 1 && alone.products().add_float == mine ? 1 : 0;
      });
  CHECK(kept == std::vector<int>(5, 1));
}

}  // namespace
