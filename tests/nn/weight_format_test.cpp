// SPDX-License-Identifier: MIT
#include "retort/nn/weight_format.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;
using internal::ByteScale;
using internal::weight_steps;
using retort::test::random_values;

TEMPLATE_TEST_CASE("A row's largest weight is 127 steps of 8 bits", "[nn]", float, double) {
  auto weights = random_values<TestType>(83, 1);
  weights[40] = TestType{-2};
  const auto steps = weight_steps<Int8>(weights.data(), weights.size());
  CHECK(steps.template round<Int8>(TestType{-2}) == TestType{-127});
  CHECK(std::abs(steps.step - TestType{2} / 127) < TestType(1e-7));
  for (const TestType weight : weights) {
    CHECK(std::abs(steps.template round<Int8>(weight) * steps.step - weight) <= steps.step * TestType(0.5001));
  }
  const std::array<TestType, 3> zeros{};
  const auto none = weight_steps<Int8>(zeros.data(), zeros.size());
  CHECK(none.step == 0);
  CHECK(none.template round<Int8>(TestType{0}) == 0);
}

TEST_CASE("A row of 4 bits has steps for its bulk, and cuts off what is far beyond", "[nn]") {
  auto weights = random_values<double>(100, 2);
  const auto even = weight_steps<Int4>(weights.data(), weights.size());
  double largest = 0.0;
  double squares = 0.0;
  for (const double weight : weights) {
    largest = std::max(largest, std::abs(weight));
  }
  CHECK(std::abs(even.step - largest / 7) < 1e-12);
  weights[3] = 50.0;
  for (const double weight : weights) {
    squares += weight * weight;
  }
  const auto uneven = weight_steps<Int4>(weights.data(), weights.size());
  CHECK(std::abs(uneven.step - 3.5 * std::sqrt(squares / 100) / 7) < 1e-12);
  CHECK(uneven.round<Int4>(50.0) == 7.0);
  CHECK(uneven.round<Int4>(-50.0) == -7.0);
}

TEMPLATE_TEST_CASE("256 bytes cover a range, and one of them is 0", "[nn]", float, double) {
  const std::array<TestType, 2> range{TestType(-0.7), TestType(2.1)};
  const ByteScale<TestType> scale(range.data());
  CHECK(scale.zero == TestType{64});  // 63.75
  CHECK(scale.value(scale.byte(TestType{0})) == TestType{0});
  CHECK(scale.byte(TestType(100)) == TestType{255});
  CHECK(scale.byte(TestType(-100)) == TestType{0});
  CHECK((scale.holds(TestType(1.5)) && !scale.holds(TestType(2.2)) && !scale.holds(TestType(-0.8))));
  for (const TestType x : random_values<TestType>(50, 3, -0.7, 2.0)) {
    CHECK(std::abs(scale.value(scale.byte(x)) - x) <= scale.step * TestType(0.5001));
  }
  // A range on one side reaches to 0.
  const std::array<TestType, 2> above{TestType(1), TestType(5.1)};
  const ByteScale<TestType> from_zero(above.data());
  CHECK(from_zero.zero == TestType{0});
  CHECK(std::abs(from_zero.step - TestType(0.02)) < TestType(1e-6));
  const std::array<TestType, 2> empty{};
  CHECK(ByteScale<TestType>(empty.data()).step == TestType{0});
}

TEMPLATE_TEST_CASE("Numbers too small or too large for steps make none, and no NaN", "[nn]", float, double) {
  using Limits = std::numeric_limits<TestType>;
  const std::vector<TestType> denormal{0, Limits::min() / 4, -Limits::min() / 8};
  const auto steps = weight_steps<Int8>(denormal.data(), denormal.size());
  CHECK((steps.step == TestType{0} && steps.template round<Int8>(denormal[0]) == TestType{0}));
  // Squares that underflow say nothing about the deviation.
  const TestType small = std::sqrt(Limits::min()) / 1000;
  const std::vector<TestType> row{small, -small / 2, 0};
  CHECK(weight_steps<Int4>(row.data(), row.size()).template round<Int4>(row[0]) == TestType{7});
  const TestType infinity = Limits::infinity();
  for (const auto& range : {std::array{TestType{0}, Limits::min()}, std::array{-Limits::max(), Limits::max()},
                            std::array{-infinity, infinity}}) {
    const ByteScale<TestType> scale(range.data());
    CHECK((scale.step == TestType{0} && scale.zero == TestType{0} && scale.byte(TestType{1}) == TestType{0}));
  }
}

}  // namespace
