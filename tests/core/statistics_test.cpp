// SPDX-License-Identifier: MIT
#include "retort/core/statistics.hpp"

#include <vector>

#include "catch.hpp"

namespace {

using retort::Statistics;
using retort::statistics;

TEST_CASE("mean and standard deviation of a sample", "[core]") {
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
  const Statistics result = statistics(values);
  CHECK(result.count == 8);
  CHECK(result.mean == 5.0);
  CHECK_THAT(result.standard_deviation, WithinRel(2.138089935299395, 1e-15));  // sqrt(32 / 7)
}

TEST_CASE("one value deviates from nothing, and no value is no error", "[core]") {
  CHECK(statistics(std::vector{3.5}).mean == 3.5);
  CHECK(statistics(std::vector{3.5}).standard_deviation == 0.0);
  CHECK(statistics({}).count == 0);
  CHECK(statistics({}).mean == 0.0);
}

TEST_CASE("a large offset moves the mean and not the standard deviation", "[core]") {
  std::vector<double> values{1, 2, 3, 4};
  const double spread = statistics(values).standard_deviation;
  for (double& value : values) {
    value += 1e9;
  }
  CHECK(statistics(values).mean == 1e9 + 2.5);
  CHECK(statistics(values).standard_deviation == spread);
}

}  // namespace
