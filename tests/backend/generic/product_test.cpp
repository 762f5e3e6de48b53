// SPDX-License-Identifier: MIT
#include "retort/backend/generic/product.hpp"

#include <cstddef>
#include <limits>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/core/matrix_view.hpp"

namespace {

using retort::MatrixView;
using retort::test::largest_difference;
using retort::test::random_values;

// Whole and broken tiles in each direction, sums shorter and longer than a strand.
constexpr struct {
  std::size_t batch, in, out;
} all_sizes[] = {{1, 1, 1}, {2, 8, 4}, {3, 7, 5}, {64, 784, 20}, {5, 20, 10}, {4, 16, 16}, {67, 33, 17}};

template <typename Scalar>
std::vector<Scalar> garbage(std::size_t size) {
  return std::vector<Scalar>(size, std::numeric_limits<Scalar>::quiet_NaN());
}

/// result(i, j) = sum over k of left(i, k) right(k, j), in double; the functions give an element's place.
template <typename Scalar, typename Left, typename Right>
std::vector<Scalar> plain_product(std::size_t rows, std::size_t columns, std::size_t depth,
                                  const std::vector<Scalar>& left, const Left& left_place,
                                  const std::vector<Scalar>& right, const Right& right_place) {
  std::vector<Scalar> result(rows * columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < depth; ++k) {
        sum += static_cast<double>(left[left_place(i, k)]) * static_cast<double>(right[right_place(k, j)]);
      }
      result[i * columns + j] = static_cast<Scalar>(sum);
    }
  }
  return result;
}

template <typename Scalar>
constexpr double tolerance = 800 * 2.0 * std::numeric_limits<Scalar>::epsilon();

const retort::backend::Thrust<retort::system::Serial> serial;

}  // namespace

TEMPLATE_TEST_CASE("the forward product is that of plain loops", "[backend]", float, double) {
  for (const auto& [batch, in, out] : all_sizes) {
    CAPTURE(batch, in, out);
    const auto x = random_values<TestType>(batch * in, 1);
    const auto w = random_values<TestType>(out * in, 2);
    auto y = garbage<TestType>(batch * out);
    forward_product(serial, MatrixView(x.data(), batch, in), MatrixView(w.data(), out, in),
                    MatrixView(y.data(), batch, out));
    const std::size_t width = in;
    CHECK(largest_difference(y, plain_product(
                                    batch, out, in, x, [=](std::size_t i, std::size_t k) { return i * width + k; }, w,
                                    [=](std::size_t k, std::size_t j) { return j * width + k; })) <
          tolerance<TestType>);
  }
}

TEMPLATE_TEST_CASE("the gradients' products are those of plain loops", "[backend]", float, double) {
  for (const auto& [batch, in, out] : all_sizes) {
    CAPTURE(batch, in, out);
    const std::size_t inputs = in;
    const std::size_t outputs = out;
    const auto x = random_values<TestType>(batch * in, 1);
    const auto w = random_values<TestType>(out * in, 2);
    const auto dy = random_values<TestType>(batch * out, 3);
    const MatrixView output_gradient(dy.data(), batch, out);
    auto dw = garbage<TestType>(out * in);
    weight_gradient_product(serial, MatrixView(x.data(), batch, in), output_gradient, MatrixView(dw.data(), out, in));
    CHECK(largest_difference(dw, plain_product(
                                     out, in, batch, dy, [=](std::size_t i, std::size_t k) { return k * outputs + i; },
                                     x, [=](std::size_t k, std::size_t j) { return k * inputs + j; })) <
          tolerance<TestType>);
    auto dx = garbage<TestType>(batch * in);
    input_gradient_product(serial, MatrixView(w.data(), out, in), output_gradient, MatrixView(dx.data(), batch, in));
    CHECK(largest_difference(dx, plain_product(
                                     batch, in, out, dy, [=](std::size_t i, std::size_t k) { return i * outputs + k; },
                                     w, [=](std::size_t k, std::size_t j) { return k * inputs + j; })) <
          tolerance<TestType>);
    auto db = garbage<TestType>(out);
    column_sums(serial, output_gradient, db.data());
    CHECK(largest_difference(
              db, plain_product(
                      1, out, batch, std::vector<TestType>(batch, 1), [](std::size_t, std::size_t k) { return k; }, dy,
                      [=](std::size_t k, std::size_t j) { return k * outputs + j; })) < tolerance<TestType>);
  }
}
