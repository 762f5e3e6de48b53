// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/cblas.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "brief.hpp"
#include "by_operations.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"

namespace {

using namespace retort;
using retort::backend::Transpose;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

/// The three matrices of a product, each in a larger one.
template <typename Scalar, Transpose left_transpose, Transpose right_transpose>
struct Product {
  Product(std::size_t rows_, std::size_t columns_, std::size_t depth_)
      : rows(rows_),
        columns(columns_),
        depth(depth_),
        left_values(random_values<Scalar>((rows + 3) * (depth + 3), 1)),
        right_values(random_values<Scalar>((columns + 5) * (depth + 5), 2)),
        before(random_values<Scalar>(rows * (columns + 2), 3)) {
    left = left_transpose == Transpose::yes ? MatrixView<const Scalar>(left_values.data(), depth, rows, rows + 3)
                                            : MatrixView<const Scalar>(left_values.data(), rows, depth, depth + 3);
    right = right_transpose == Transpose::yes
                ? MatrixView<const Scalar>(right_values.data(), columns, depth, depth + 5)
                : MatrixView<const Scalar>(right_values.data(), depth, columns, columns + 5);
  }

  /// From zero.
  std::vector<Scalar> multiply(const backend::Eigen& backend) const {
    std::vector<Scalar> result = before;
    backend::detail::multiply<left_transpose, right_transpose>(
        backend, left, right, MatrixView<Scalar>(result.data(), rows, columns, columns + 2));
    return result;
  }

  /// In double, element by element.
  std::vector<double> naive() const {
    std::vector<double> result(before.begin(), before.end());
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        double& sum = result[row * (columns + 2) + column] = 0.0;
        for (std::size_t k = 0; k < depth; ++k) {
          sum += double{left_transpose == Transpose::yes ? left(k, row) : left(row, k)} *
                 double{right_transpose == Transpose::yes ? right(column, k) : right(k, column)};
        }
      }
    }
    return result;
  }

  std::size_t rows, columns, depth;
  std::vector<Scalar> left_values, right_values, before;
  MatrixView<const Scalar> left, right;
};

template <typename Scalar, Transpose left_transpose, Transpose right_transpose>
void check_product(std::size_t rows, std::size_t columns, std::size_t depth) {
  CAPTURE(rows, columns, depth, left_transpose, right_transpose);
  const Product<Scalar, left_transpose, right_transpose> product(rows, columns, depth);
  const auto by_blas = product.multiply(backend::Eigen{1, backend::cblas()});
  // Each of the depth sums rounds at most once, at numbers below depth.
  const double tolerance = (sizeof(Scalar) == 4 ? 1.2e-7 : 2.3e-16) * static_cast<double>(2 + depth);
  CHECK(largest_difference(by_blas, product.naive()) < tolerance);
  CHECK(largest_difference(by_blas, product.multiply(backend::Eigen{})) < 2 * tolerance);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t between = row * (columns + 2) + columns; between < (row + 1) * (columns + 2); ++between) {
      REQUIRE(by_blas[between] == product.before[between]);
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
    check_product<TestType, Transpose::no, Transpose::no>(rows, columns, depth);
    check_product<TestType, Transpose::no, Transpose::yes>(rows, columns, depth);
    check_product<TestType, Transpose::yes, Transpose::no>(rows, columns, depth);
    check_product<TestType, Transpose::yes, Transpose::yes>(rows, columns, depth);
  }
}

/// The first Linear is wide enough to be cut into strips for several threads.
using Wide = test::ByOperations<Shape<1, 15, 20>, Linear<300, 500>, LayerNorm<500>, ReLU, Linear<500, 20>,
                                BatchNorm<20>, ReLU, Linear<20, 10>>;

template <typename Scalar>
struct Trained {
  explicit Trained(const backend::Eigen& backend) : network(Seed{1}, backend) {
    Trainer trainer{network, CrossEntropy{}, Adam{}};
    REQUIRE(trainer.describe().starts_with("single operations"));  // else no product would be the BLAS's
    history = trainer.fit(test::noise_images(test::brief ? 50 : 130, {15, 20}, 10, 1),
                          {.epochs = test::brief ? 1u : 3u, .batch_size = 32});
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
  for (const unsigned threads : test::thinned_to_one({2u, 3u})) {
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
