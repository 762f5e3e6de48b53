// SPDX-License-Identifier: MIT
#include "retort/data/xtensor.hpp"

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/idx.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;
using data::as_xtensor;
using data::Labels;
using data::Matrix;
using data::to_labels;
using data::to_matrix;

namespace {

template <typename T>
concept can_be_seen = requires(T&& value) { as_xtensor(std::forward<T>(value)); };

}  // namespace

TEST_CASE("the containers, views and adaptors the library uses are there") {
  std::array<float, 6> memory{1, 2, 3, 4, 5, 6};
  const auto matrix = xt::adapt(memory.data(), memory.size(), xt::no_ownership(), std::array<std::size_t, 2>{2, 3});
  const xt::xtensor<float, 1> row = xt::view(matrix, 1, xt::all());
  CHECK((row == xt::xtensor<float, 1>{4, 5, 6}));
}

TEMPLATE_TEST_CASE("xtensor sees a matrix without a copy, and writes to it", "", float, std::uint8_t) {
  Matrix<TestType> matrix{{1, 2, 3}, {4, 5, 6}};
  auto array = as_xtensor(matrix);
  CHECK(array.data() == matrix.data());
  CHECK((array == xt::xtensor<TestType, 2>{{1, 2, 3}, {4, 5, 6}}));
  array(1, 2) = 7;
  xt::view(array, 0, xt::all()) = TestType{9};
  CHECK((matrix == Matrix<TestType>{{9, 9, 9}, {4, 5, 7}}));

  const auto constant = as_xtensor(std::as_const(matrix));
  CHECK(constant.data() == matrix.data());
  CHECK((constant == array));
  STATIC_REQUIRE_FALSE(std::is_assignable_v<decltype(constant(0, 0)), TestType>);
}

TEST_CASE("xtensor sees labels without a copy") {
  const Labels labels{4, 0, 2};
  const auto array = as_xtensor(labels);
  CHECK(array.data() == labels.data());
  CHECK((array == xt::xtensor<std::uint32_t, 1>{4, 0, 2}));
}

TEST_CASE("what would be gone at once is not seen") {
  STATIC_REQUIRE(can_be_seen<Matrix<float>&>);
  STATIC_REQUIRE(can_be_seen<const Labels&>);
  STATIC_REQUIRE_FALSE(can_be_seen<Matrix<float>>);
  STATIC_REQUIRE_FALSE(can_be_seen<const Matrix<float>>);
  STATIC_REQUIRE_FALSE(can_be_seen<Labels>);
}

TEST_CASE("expressions of every layout become matrices") {
  const Matrix<float> expected{{1, 2, 3}, {4, 5, 6}};
  const xt::xtensor<float, 2> rows{{1, 2, 3}, {4, 5, 6}};
  const xt::xtensor<float, 2, xt::layout_type::column_major> columns{{1, 2, 3}, {4, 5, 6}};
  CHECK((to_matrix(rows) == expected));
  CHECK((to_matrix(columns) == expected));
  CHECK((to_matrix(as_xtensor(expected)) == expected));
  CHECK((to_matrix(2 * columns - rows) == expected));
  CHECK((to_matrix(xt::view(rows, xt::all(), xt::range(1, 3))) == Matrix<float>{{2, 3}, {5, 6}}));
  CHECK((to_matrix(xt::cast<std::uint8_t>(rows)) == Matrix<std::uint8_t>{{1, 2, 3}, {4, 5, 6}}));
  CHECK((to_matrix(xt::xtensor<double, 2>{{0.1}}) == Matrix<double>{{0.1}}));
  CHECK((to_matrix(xt::xtensor<float, 2>::from_shape({0, 3})) == Matrix<float>(0, 3)));
}

TEST_CASE("axes after the second are flattened, the last one fastest") {
  const xt::xtensor<int, 3> array{{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}};
  const xt::xtensor<int, 3, xt::layout_type::column_major> turned = array;
  const Matrix<int> expected{{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}};
  CHECK((to_matrix(array) == expected));
  CHECK((to_matrix(turned) == expected));
  CHECK((to_matrix(xt::xtensor<int, 4>::from_shape({3, 2, 0, 5})) == Matrix<int>(3, 0)));
  CHECK(message_of<ShapeError>([] { to_matrix(xt::xtensor<float, 1>{1, 2}); }) ==
        "to_matrix: rank 1, expected 2 (rows, columns) or more");
}

TEST_CASE("whole numbers become labels") {
  CHECK((to_labels(xt::xtensor<std::uint8_t, 1>{0, 255}) == Labels{0, 255}));
  CHECK((to_labels(xt::xtensor<std::int64_t, 1>{3, 4294967295}) == Labels{3, 4294967295u}));
  CHECK((to_labels(xt::xtensor<int, 1>{5, 1} + 2) == Labels{7, 3}));
  CHECK(message_of<ShapeError>([] { to_labels(xt::xtensor<int, 1>{0, -1}); }) ==
        "to_labels: label of sample 1 is -1, expected 0 to 4294967295");
  CHECK(contains(message_of<ShapeError>([] { to_labels(xt::xtensor<std::int64_t, 1>{4294967296}); }),
                 "label of sample 0 is 4294967296"));
  CHECK(message_of<ShapeError>([] { to_labels(xt::xtensor<int, 2>{{0}}); }) ==
        "to_labels: rank 2, expected 1 (samples)");
}

TEST_CASE("arrays become a dataset and are seen in it again") {
  const xt::xtensor<std::uint8_t, 3> images{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}, {{9, 10}, {11, 12}}};
  const xt::xtensor<int, 1> classes{2, 0, 1};
  const data::Dataset dataset{to_matrix(images), to_labels(classes), 3, {images.shape(1), images.shape(2)}};
  CHECK(dataset.size() == 3);
  CHECK(dataset.image() == data::ImageShape{2, 2});
  const auto& bytes = std::get<Matrix<std::uint8_t>>(dataset.features());
  CHECK((as_xtensor(bytes) == xt::xtensor<std::uint8_t, 2>{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}}));
  CHECK((as_xtensor(dataset.labels()) == classes));
}

TEST_CASE("an array of bytes is written as IDX by its shape and its memory") {
  const TemporaryFolder folder;
  const xt::xtensor<std::uint8_t, 2> array{{1, 2, 3}, {4, 5, 6}};
  data::write_idx(folder / "array", array.shape(), array.storage());
  CHECK((data::read_idx<2>(folder / "array") == data::IdxArray<2>{{2, 3}, {1, 2, 3, 4, 5, 6}}));
}
