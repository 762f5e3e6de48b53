// SPDX-License-Identifier: MIT
#include "retort/nn/input_scales.hpp"

#include <vector>

#include "catch.hpp"

namespace {

using namespace retort;
using internal::input_scales;

TEST_CASE("Inputs of bytes have one center and one factor", "[nn]") {
  const auto scales = input_scales({.bytes = true, .mean = 0.5, .standard_deviation = 0.25}, 7, 2.0);
  CHECK(scales.centers == std::vector{127.5f});
  CHECK(scales.factors == std::vector{static_cast<float>(2 / 63.75)});
  CHECK((scales.rests.empty() && scales.rest(6) == 0.0f && scales.entry(6) == 0));
}

TEST_CASE("A center that float cannot hold keeps its rest", "[nn]") {
  const Preprocessing far{.column_means = {101325.0123, 0.1}, .column_deviations = {2.0, 4.0}};
  const auto scales = input_scales(far, 2, 1.0);
  CHECK((scales.by_columns() && scales.entry(1) == 1));
  CHECK(scales.factors == std::vector{0.5f, 0.25f});
  CHECK_THAT(static_cast<double>(scales.centers[0]) + static_cast<double>(scales.rest(0)),
             WithinRel(101325.0123, 1e-14));
  CHECK(scales.rest(0) != 0.0f);
  const Preprocessing near{.column_means = {0.7, 0.1}, .column_deviations = {2.0, 4.0}};
  CHECK(input_scales(near, 2, 1.0).rests.empty());
}

TEST_CASE("A normalisation beyond float is refused", "[nn]") {
  for (const double deviation : {1e-40, 1e37, 1e300}) {
    const Preprocessing from{.column_means = {0.0}, .column_deviations = {deviation}};
    CHECK_THROWS_AS(input_scales(from, 1, 1.0), Error);
  }
  CHECK_THROWS_WITH(
      input_scales({.mean = 1e39}, 1, 1.0),
      "inputs: they are real numbers, minus 1e+39, divided by 1, expected means and deviations with which "
      "float can compute");
}

}  // namespace
