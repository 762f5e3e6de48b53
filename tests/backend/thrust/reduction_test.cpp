// SPDX-License-Identifier: MIT
#include "retort/backend/thrust/reduction.hpp"

#include <cstddef>
#include <vector>

#include "backend/thrust/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"

namespace {

using retort::backend::detail::Element;
using retort::backend::detail::read_sum;

const retort::backend::Thrust<retort::system::Serial> serial;

}  // namespace

TEST_CASE("every term is added once, for every length", "[backend]") {
  for (const std::size_t size : {0u, 1u, 2u, 255u, 256u, 257u, 65'535u, 65'536u, 65'537u, 70'000u}) {
    // Powers of two, so that no order of addition rounds: a term left out or taken twice shows.
    std::vector<double> values(size);
    double expected = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = static_cast<double>(i % 1024);
      expected += values[i];
    }
    CAPTURE(size);
    CHECK(read_sum(serial, size, Element{values.data()}) == expected);
  }
}

TEST_CASE("the order of a sum follows from its length alone", "[backend]") {
  const auto values = retort::test::random_values<double>(70'000, 1);
  std::vector<double> pieces;
  for (std::size_t begin = 0; begin < values.size(); begin += 256) {
    double sum = 0.0;
    for (std::size_t i = begin; i < begin + 256 && i < values.size(); ++i) {
      sum += values[i];
    }
    pieces.push_back(sum);
  }
  // 274 pieces' sums are two more pieces.
  double first = 0.0;
  double second = 0.0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    (i < 256 ? first : second) += pieces[i];
  }
  CHECK(read_sum(serial, values.size(), Element{values.data()}) == first + second);
}
