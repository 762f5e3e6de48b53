// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/product.hpp"

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/eigen.hpp"

namespace {

using namespace retort::backend::detail;
using retort::backend::Order;
using retort::test::largest_difference;
using retort::test::random_values;

template <typename Scalar, int order>
using Matrix = Eigen::Map<const Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, order>, 0, Eigen::OuterStride<>>;

template <typename Scalar, Order left_order, Order right_order>
void check_product(std::size_t rows, std::size_t columns, std::size_t depth) {
  CAPTURE(rows, columns, depth, sizeof(Scalar));
  constexpr int left_storage = left_order == Order::row_major ? Eigen::RowMajor : Eigen::ColMajor;
  constexpr int right_storage = right_order == Order::row_major ? Eigen::RowMajor : Eigen::ColMajor;
  // Each matrix lies in a larger one.
  const std::size_t left_stride = (left_order == Order::row_major ? depth : rows) + 3;
  const std::size_t right_stride = (right_order == Order::row_major ? columns : depth) + 5;
  const std::size_t result_stride = rows + 2;
  const auto left = random_values<Scalar>((left_order == Order::row_major ? rows : depth) * left_stride, 1);
  const auto right = random_values<Scalar>((right_order == Order::row_major ? depth : columns) * right_stride, 2);
  const auto before = random_values<Scalar>(columns * result_stride, 3);

  using Index = Eigen::Index;
  const auto expected_result = [&] {
    const Matrix<Scalar, left_storage> l(left.data(), static_cast<Index>(rows), static_cast<Index>(depth),
                                         Eigen::OuterStride<>(static_cast<Index>(left_stride)));
    const Matrix<Scalar, right_storage> r(right.data(), static_cast<Index>(depth), static_cast<Index>(columns),
                                          Eigen::OuterStride<>(static_cast<Index>(right_stride)));
    std::vector<Scalar> values = before;
    Eigen::Map<Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>>(
        values.data(), static_cast<Index>(rows), static_cast<Index>(columns),
        Eigen::OuterStride<>(static_cast<Index>(result_stride))) += l * r;
    return values;
  }();

  std::vector<Scalar> result = before;
  add_product(rows, columns, depth, Operand<Scalar, left_order>{left.data(), left_stride},
              Operand<Scalar, right_order>{right.data(), right_stride}, result.data(), result_stride);
  const double tolerance = (sizeof(Scalar) == 4 ? 2e-7 : 4e-16) * static_cast<double>(depth);
  CHECK(largest_difference(result, expected_result) < tolerance + (sizeof(Scalar) == 4 ? 1e-6 : 1e-15));
  // What lies between the columns is not touched.
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t row = rows; row < result_stride; ++row) {
      REQUIRE(result[column * result_stride + row] == before[column * result_stride + row]);
    }
  }
}

TEMPLATE_TEST_CASE("add_product adds the product that Eigen's operator* gives", "[backend]", float, double) {
  struct Sizes {
    std::size_t rows, columns, depth;
  };
  for (const auto [rows, columns, depth] : {Sizes{1, 1, 1}, Sizes{3, 5, 7}, Sizes{48, 1, 784}, Sizes{48, 64, 300},
                                            Sizes{53, 17, 1}, Sizes{200, 150, 257}}) {
    check_product<TestType, Order::row_major, Order::row_major>(rows, columns, depth);
    check_product<TestType, Order::row_major, Order::column_major>(rows, columns, depth);
    check_product<TestType, Order::column_major, Order::row_major>(rows, columns, depth);
    check_product<TestType, Order::column_major, Order::column_major>(rows, columns, depth);
  }
}

TEST_CASE("A thread's scratch grows, and different uses do not share it", "[backend]") {
  struct First;
  struct Second;
  float* small = thread_scratch<float, First>(10);
  CHECK(thread_scratch<float, First>(5) == small);
  CHECK(thread_scratch<float, Second>(10) != small);
  float* large = thread_scratch<float, First>(100000);
  large[99999] = 1.0f;
  CHECK(thread_scratch<float, First>(10) == large);
}

TEST_CASE("Backends of one thread have the products of the backend whose threads they take", "[product]") {
  const retort::backend::AddProduct<float> mine = [](std::size_t, std::size_t, std::size_t,
                                                     retort::backend::MatrixOperand<float>,
                                                     retort::backend::MatrixOperand<float>, float*, std::size_t) {};
  const retort::backend::Eigen cpu{2, {.name = "mine", .add_float = mine}};
  std::vector<int> kept(5);
  retort::backend::for_each_on_one_thread(
      cpu, kept.size(), [&](std::size_t index, const retort::backend::Eigen& alone) {
        kept[index] = alone.threads() == 1 && alone.products().add_float == mine ? 1 : 0;
      });
  CHECK(kept == std::vector<int>(5, 1));
}

}  // namespace
