// SPDX-License-Identifier: MIT
#include "retort/data/gather.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "data/data_test.hpp"
#include "retort/data/dataset.hpp"

using namespace retort;
using namespace retort::test;
using data::Dataset;
using data::GatherConstants;
using data::PixelOffset;

namespace {

constexpr data::Normalization normalizations[] = {{0, 1}, {0.5, 0.5}, {0.1307, 0.3081}, {-3, 17}};

// Random samples, (5, channels * rows * columns).
template <typename Raw>
Dataset random_dataset(data::ImageShape image, data::Normalization normalization) {
  RandomSequence random{RandomStream{Seed{5}, Stream::synthetic, 0}};
  data::Matrix<Raw> features(5, image.channels * image.rows * image.columns);
  for (Raw& value : features.values()) {
    value = static_cast<Raw>(random.below(256));
  }
  return {features, data::Labels{0, 0, 0, 0, 0}, 1, image, normalization};
}

// One feature by the definition, in double.
double naive(const data::DatasetView& data, std::size_t index, PixelOffset shift, std::size_t feature) {
  const std::size_t pixels = data.image.rows * data.image.columns;
  const auto row = static_cast<std::ptrdiff_t>(feature % pixels / data.image.columns) - shift.rows;
  const auto column = static_cast<std::ptrdiff_t>(feature % data.image.columns) - shift.columns;
  const bool inside = row >= 0 && row < static_cast<std::ptrdiff_t>(data.image.rows) && column >= 0 &&
                      column < static_cast<std::ptrdiff_t>(data.image.columns);
  double raw = 0;
  if (inside) {
    const std::size_t position = index * data.features + feature / pixels * pixels +
                                 static_cast<std::size_t>(row) * data.image.columns + static_cast<std::size_t>(column);
    raw = data.bytes != nullptr ? data.bytes[position] / 255.0 : double{data.reals[position]};
  }
  return (raw - data.normalization.mean) / data.normalization.standard_deviation;
}

template <typename Scalar>
std::vector<Scalar> gathered(const data::DatasetView& data, std::uint32_t index, PixelOffset shift) {
  std::vector<Scalar> output(data.features + 1, Scalar{-77});
  data::gather_row(data, GatherConstants<Scalar>(data), index, shift, output.data());
  REQUIRE(output.back() == Scalar{-77});  // nothing is written beyond the row
  output.pop_back();
  return output;
}

}  // namespace

TEMPLATE_TEST_CASE("a gathered row follows the definition, for every shape, shift and normalization", "", float,
                   double) {
  for (const data::ImageShape image :
       {data::ImageShape{1, 1}, {1, 7}, {7, 1}, {3, 5}, {8, 8}, {28, 28}, {3, 5, 2}, {8, 8, 3}}) {
    for (const data::Normalization normalization : normalizations) {
      const Dataset bytes = random_dataset<std::uint8_t>(image, normalization);
      const Dataset reals = random_dataset<float>(image, normalization);
      for (const Dataset* dataset : {&bytes, &reals}) {
        const data::DatasetView view = dataset->view();
        const GatherConstants<TestType> constants(view);
        for (const PixelOffset shift : {PixelOffset{0, 0}, {1, 0}, {0, -1}, {-2, 2}, {3, 100}, {-100, 0}}) {
          const std::vector<TestType> output = gathered<TestType>(view, 3, shift);
          bool agrees = true;
          for (std::size_t i = 0; i < output.size(); ++i) {
            const double expected = naive(view, 3, shift, i);
            // Two roundings of the terms, one of their sum.
            const double scale =
                std::abs(expected) + 2 * std::abs(normalization.mean / normalization.standard_deviation);
            const double tolerance = 2 * scale * double{std::numeric_limits<TestType>::epsilon()};
            agrees = agrees && std::abs(double{output[i]} - expected) <= tolerance &&
                     std::abs(double{data::gathered_feature(view, constants, 3, shift, i)} - expected) <= tolerance;
          }
          CAPTURE(image.rows, image.columns, image.channels, normalization.mean, shift.rows, shift.columns);
          CHECK(agrees);
        }
      }
    }
  }
}

TEST_CASE("black and white become exactly -1 and nearly 1 under the MNIST recipe") {
  const Dataset dataset{data::Matrix<std::uint8_t>{{0, 255}}, data::Labels{0}, 1, {1, 2}, {0.5, 0.5}};
  const auto output = gathered<float>(dataset.view(), 0, {});
  CHECK(output[0] == -1.0f);
  CHECK_THAT(output[1], WithinAbs(1.0, 1e-6));
}

TEST_CASE("no shift is the identity, whichever function is called") {
  const Dataset dataset = random_dataset<std::uint8_t>({6, 5}, {0.5, 0.5});
  std::vector<float> output(30);
  for (std::uint32_t index = 0; index < 5; ++index) {
    data::gather_row(dataset.view(), GatherConstants<float>(dataset.view()), index, output.data());
    CHECK(output == gathered<float>(dataset.view(), index, {}));
  }
}

TEST_CASE("a shift there and back restores what stayed inside") {
  const Dataset dataset = random_dataset<std::uint8_t>({9, 9}, {0, 1});
  const auto original = gathered<float>(dataset.view(), 2, {});
  const auto there = gathered<float>(dataset.view(), 2, {2, -3});
  for (std::size_t row = 0; row + 2 < 9; ++row) {
    for (std::size_t column = 3; column < 9; ++column) {
      REQUIRE(there[(row + 2) * 9 + column - 3] == original[row * 9 + column]);
    }
  }
}

TEST_CASE("ink that stays inside keeps its sum, ink that leaves is gone") {
  data::Matrix<std::uint8_t> features(1, 81);
  features(0, 4 * 9 + 4) = 200;
  features(0, 3 * 9 + 5) = 100;
  const Dataset dataset{features, data::Labels{0}, 1, {9, 9}};
  const auto sum = [&](PixelOffset shift) {
    const auto output = gathered<double>(dataset.view(), 0, shift);
    return std::accumulate(output.begin(), output.end(), 0.0);
  };
  for (int rows = -3; rows <= 3; ++rows) {
    for (int columns = -3; columns <= 3; ++columns) {
      CHECK_THAT(sum({rows, columns}), WithinAbs(300 / 255.0, 1e-12));
    }
  }
  CHECK_THAT(sum({-4, 0}), WithinAbs(200 / 255.0, 1e-12));
  CHECK_THAT(sum({0, 9}), WithinAbs(0, 1e-12));
}

TEST_CASE("features that are no image are gathered as they are") {
  const Dataset dataset{data::Matrix<float>{{1, 2, 3}, {4, 5, 6}}, data::Labels{0, 0}, 1, {}, {1, 2}};
  CHECK(gathered<float>(dataset.view(), 1, {}) == std::vector<float>{1.5f, 2.0f, 2.5f});
}
