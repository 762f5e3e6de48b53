// SPDX-License-Identifier: MIT
#include "retort/backend/generic/reduction.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"

namespace {

using retort::backend::detail::read_sum;
using retort::backend::detail::ValueOf;

const retort::backend::Thrust<retort::system::Serial> serial;

/// Eight strands, their sums, and what is left over.
double in_strands(const std::vector<double>& values) {
  std::vector<double> strands(8);
  const std::size_t whole = values.size() / 8 * 8;
  for (std::size_t i = 0; i < whole; ++i) {
    strands[i % 8] += values[i];
  }
  const double sum = std::accumulate(strands.begin(), strands.end(), 0.0);
  return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(whole), values.end(), sum);
}

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
    CHECK(read_sum(serial, size, ValueOf<double>{values.data()}) == expected);
  }
}

TEST_CASE("the order of a sum follows from its length alone", "[backend]") {
  const auto values = retort::test::random_values<double>(70'000, 1);
  std::vector<double> pieces;
  for (std::size_t begin = 0; begin < values.size(); begin += 256) {
    pieces.push_back(in_strands({values.begin() + static_cast<std::ptrdiff_t>(begin),
                                 values.begin() + static_cast<std::ptrdiff_t>(std::min(begin + 256, values.size()))}));
  }
  // 274 pieces' sums are two more pieces.
  const double first = in_strands({pieces.begin(), pieces.begin() + 256});
  const double second = in_strands({pieces.begin() + 256, pieces.end()});
  CHECK(read_sum(serial, values.size(), ValueOf<double>{values.data()}) == first + second);
}
