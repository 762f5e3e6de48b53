// SPDX-License-Identifier: MIT
#include "retort/quantization/value_range.hpp"

#include <array>
#include <limits>
#include <span>
#include <vector>

#include "catch.hpp"
#include "retort/core/float_bits.hpp"

namespace {

using namespace retort;
using internal::ValueRange;

TEST_CASE("A range has the extremes, or all but a share at each end", "[quantization]") {
  ValueRange range;
  std::vector<float> values;
  for (int i = -100; i < 900; ++i) {
    values.push_back(static_cast<float>(i));
  }
  range.add(std::span<const float>(values).first(400));
  range.add(std::span<const float>(values).subspan(400));
  CHECK(range.within(100) == std::array{-100.0f, 899.0f});
  // 99 % and 1 %: 10 of 1,000 are cut off, to 1 part in 128.
  const auto most = range.within(99);
  CHECK((most[0] >= -91.0f && most[0] <= -89.0f));
  CHECK((most[1] >= 883.0f && most[1] <= 889.0f));
  CHECK(range.within(99.95) == std::array{-100.0f, 899.0f});  // half a number
}

TEST_CASE("Numbers of a layer behind a ReLU keep 0 as the least", "[quantization]") {
  ValueRange range;
  range.add(std::span<const double>(std::vector<double>{0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 1000.0}));
  CHECK(range.within(100) == std::array{0.0f, 1000.0f});
  CHECK(range.within(80) == std::array{0.0f, 2.0f});
}

TEST_CASE("Numbers that are not finite leave no range", "[quantization]") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const double wrong : {internal::make_nan(), std::numeric_limits<double>::infinity(), -1e300}) {
    ValueRange range;
    range.add(std::span<const double>(std::vector<double>{0.5, wrong, 1.0}));
    CHECK(range.within(100) == std::array{-infinity, infinity});
    CHECK(range.within(60) == std::array{-infinity, infinity});
  }
}

}  // namespace
