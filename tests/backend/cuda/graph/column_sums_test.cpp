// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/column_sums.hpp"

#include <cstddef>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/core/matrix_view.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;

TEMPLATE_TEST_CASE("sums of columns", "[graph]", Bfloat16, float, double) {
  const backend::Thrust<retort::system::Serial> backend;
  constexpr std::size_t columns = 5;
  for (const std::size_t rows : {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{4097}}) {
    CAPTURE(rows);
    std::vector<TestType> values(rows * columns);
    const auto numbers = test::random_values<float>(values.size(), 1);
    std::vector<double> expected(columns);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<TestType>(numbers[i]);
      expected[i % columns] += static_cast<double>(static_cast<float>(values[i]));
    }
    using Sum = std::conditional_t<std::is_same_v<TestType, double>, double, float>;
    std::vector<Sum> scratch(column_sum_scratch_size(rows, columns));
    std::vector<Sum> sums(columns);
    sum_columns(backend, MatrixView<const TestType>(values.data(), rows, columns), scratch.data(), sums.data());
    CHECK(test::largest_difference(sums, expected) < (sizeof(Sum) == 4 ? 1e-4 : 1e-11));
  }
  CHECK(column_sum_scratch_size(64, columns) == 0);
  CHECK(column_sum_scratch_size(4097, columns) == (65 + 2) * columns);
}

}  // namespace
