// SPDX-License-Identifier: MIT
#include "retort/core/statistics.hpp"

#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"

namespace {

using retort::sign_flip_p_value;
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

TEST_CASE("a sign flip counts the sums that are at least as far from zero", "[core]") {
  CHECK(sign_flip_p_value(std::vector<double>{3, -1, 4, 1, 5}) == 6.0 / 32);  // 12 and 14, with either sign: by hand
  CHECK(sign_flip_p_value(std::vector<double>(10, -7.1)) == 2.0 / 1024);
  CHECK(sign_flip_p_value(std::vector<double>{0.1, 0.2, 0.3}) == 2.0 / 8);
  CHECK(sign_flip_p_value(std::vector<double>{2, -2}) == 1.0);
  CHECK(sign_flip_p_value(std::vector<double>(3, 0.0)) == 1.0);
  CHECK_THROWS_WITH(sign_flip_p_value({}), "sign_flip_p_value: 0 differences, expected 1 to 20");
  CHECK_THROWS_WITH(sign_flip_p_value(std::vector<double>(21)), "sign_flip_p_value: 21 differences, expected 1 to 20");
}

}  // namespace
