// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/cblas.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using retort::backend::Order;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

/// The three matrices of a product, each in a larger one.
template <typename Scalar, Order left_order, Order right_order>
struct Product {
  Product(std::size_t rows_, std::size_t columns_, std::size_t depth_)
      : rows(rows_),
        columns(columns_),
        depth(depth_),
        left_stride((left_order == Order::row_major ? depth : rows) + 3),
        right_stride((right_order == Order::row_major ? columns : depth) + 5),
        result_stride(rows + 2),
        left(random_values<Scalar>((left_order == Order::row_major ? rows : depth) * left_stride, 1)),
        right(random_values<Scalar>((right_order == Order::row_major ? depth : columns) * right_stride, 2)),
        before(random_values<Scalar>(columns * result_stride, 3)) {}

  Scalar left_at(std::size_t row, std::size_t k) const {
    return left[left_order == Order::row_major ? row * left_stride + k : k * left_stride + row];
  }
  Scalar right_at(std::size_t k, std::size_t column) const {
    return right[right_order == Order::row_major ? k * right_stride + column : column * right_stride + k];
  }

  std::vector<Scalar> add(const backend::Eigen& backend) const {
    std::vector<Scalar> result = before;
    using backend::detail::Operand;
    backend::detail::add_product(backend, rows, columns, depth, Operand<Scalar, left_order>{left.data(), left_stride},
                                 Operand<Scalar, right_order>{right.data(), right_stride}, result.data(),
                                 result_stride);
    return result;
  }

  /// In double, element by element.
  std::vector<double> naive() const {
    std::vector<double> result(before.begin(), before.end());
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t k = 0; k < depth; ++k) {
          result[column * result_stride + row] += double{left_at(row, k)} * double{right_at(k, column)};
        }
      }
    }
    return result;
  }

  std::size_t rows, columns, depth;
  std::size_t left_stride, right_stride, result_stride;
  std::vector<Scalar> left, right, before;
};

template <typename Scalar, Order left_order, Order right_order>
void check_product(std::size_t rows, std::size_t columns, std::size_t depth) {
  CAPTURE(rows, columns, depth, left_order, right_order);
  const Product<Scalar, left_order, right_order> product(rows, columns, depth);
  const auto by_blas = product.add(backend::Eigen{1, backend::cblas()});
  // Each of the depth sums rounds at most once, at numbers below depth.
  const double tolerance = (sizeof(Scalar) == 4 ? 1.2e-7 : 2.3e-16) * static_cast<double>(2 + depth);
  CHECK(largest_difference(by_blas, product.naive()) < tolerance);
  CHECK(largest_difference(by_blas, product.add(backend::Eigen{})) < 2 * tolerance);
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t row = rows; row < product.result_stride; ++row) {
      REQUIRE(by_blas[column * product.result_stride + row] == product.before[column * product.result_stride + row]);
    }
  }
}

TEMPLATE_TEST_CASE("The products of a BLAS equal Eigen's and the naive ones", "[backend]", float, double) {
  struct Sizes {
    std::size_t rows, columns, depth;
  };
  for (const auto [rows, columns, depth] :
       {Sizes{1, 1, 1}, Sizes{3, 5, 7}, Sizes{48, 1, 784}, Sizes{1, 64, 20}, Sizes{20, 64, 784}, Sizes{53, 17, 1},
        Sizes{144, 64, 300}, Sizes{200, 150, 257}}) {
    check_product<TestType, Order::row_major, Order::row_major>(rows, columns, depth);
    check_product<TestType, Order::row_major, Order::column_major>(rows, columns, depth);
    check_product<TestType, Order::column_major, Order::row_major>(rows, columns, depth);
    check_product<TestType, Order::column_major, Order::column_major>(rows, columns, depth);
  }
}

/// The first Linear is wide enough to be cut into strips for several threads.
using Wide = Sequential<Linear<300, 500>, LayerNorm<500>, ReLU, Linear<500, 20>, BatchNorm<20>, ReLU, Linear<20, 10>>;

template <typename Scalar>
struct Trained {
  explicit Trained(const backend::Eigen& backend) : network(Seed{1}, backend) {
    Trainer trainer{network, CrossEntropy{}, Adam{}};
    history = trainer.fit(test::noise_images(130, {15, 20}, 10, 1), {.epochs = 3, .batch_size = 32});
  }

  Network<Wide, backend::Eigen, Scalar> network;
  History history;
};

TEST_CASE("A model trains with the products of a BLAS as with Eigen's", "[backend]") {
  const Trained<double> by_eigen{backend::Eigen{}};
  const Trained<double> by_blas{backend::Eigen{1, backend::cblas()}};
  CHECK(largest_difference(by_blas.network.parameter_arena(), by_eigen.network.parameter_arena()) < 1e-9);
  CHECK(std::abs(by_blas.history.back().loss - by_eigen.history.back().loss) < 1e-9);

  const Trained<float> in_float{backend::Eigen{1, backend::cblas()}};
  CHECK(std::abs(in_float.history.back().loss - by_eigen.history.back().loss) < 1e-3);
}

TEST_CASE("With a BLAS the number of threads changes no bit of a training", "[backend]") {
  const Trained<float> alone{backend::Eigen{1, backend::cblas()}};
  for (const unsigned threads : {2u, 3u}) {
    CAPTURE(threads);
    const Trained<float> shared{backend::Eigen{threads, backend::cblas()}};
    CHECK(same_bits(shared.network.parameter_arena(), alone.network.parameter_arena()));
    CHECK(same_bits(shared.network.buffer_arena(), alone.network.buffer_arena()));
  }
}

TEST_CASE("A backend with a BLAS says which", "[backend]") {
  const std::string name = backend::cblas().name;
  CHECK_FALSE(name.empty());
  CHECK(backend::Eigen{1, backend::cblas()}.describe() ==
        backend::Eigen{1}.describe() + ", layer by layer with the products of " + name);
}

}  // namespace
