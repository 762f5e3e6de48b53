// SPDX-License-Identifier: MIT
#include "retort/simd/vector.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/core/vector_math.hpp"
#include "simd/vectors.hpp"

namespace {

using namespace retort;
using retort::test::elements;
using retort::test::random_values;

TEMPLATE_LIST_TEST_CASE("Part of a vector is loaded with zeros behind it, and stored without them", "[simd]",
                        test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t lanes = simd::lanes<V>;
  for (std::size_t count = 0; count <= lanes; ++count) {
    CAPTURE(count);
    const auto values = random_values<Scalar>(count, 3);
    auto expected = values;
    expected.resize(lanes, Scalar{0});
    const V vector = simd::load_partial<V>(values.data(), count);
    CHECK(elements(vector) == expected);
    CHECK(elements(simd::load<V>(values.data(), count)) == expected);

    std::vector<Scalar> stored(lanes, Scalar{7});
    simd::store_partial(vector, stored.data(), count);
    std::fill(expected.begin() + static_cast<std::ptrdiff_t>(count), expected.end(), Scalar{7});
    CHECK(stored == expected);
    stored.assign(lanes, Scalar{7});
    simd::store(vector, stored.data(), count);
    CHECK(stored == expected);
  }
}

TEMPLATE_LIST_TEST_CASE("zip interleaves whole vectors", "[simd]", test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t lanes = simd::lanes<V>;
  const auto left = random_values<Scalar>(lanes, 1);
  const auto right = random_values<Scalar>(lanes, 2);
  std::vector<Scalar> expected;
  for (std::size_t i = 0; i < lanes; ++i) {
    expected.push_back(left[i]);
    expected.push_back(right[i]);
  }
  const auto [low, high] = simd::zip(simd::load<V>(left.data()), simd::load<V>(right.data()));
  auto found = elements(low);
  const auto second = elements(high);
  found.insert(found.end(), second.begin(), second.end());
  CHECK(found == expected);
}

TEMPLATE_LIST_TEST_CASE("A pair fills a vector by turns", "[simd]", test::Vectors) {
  using Scalar = simd::ScalarOf<TestType>;
  const std::array<Scalar, 3> numbers{1, 2, 3};  // a pair may lie anywhere
  std::array<Scalar, simd::lanes<TestType>> found;
  simd::load_pair<TestType>(numbers.data() + 1).store_unaligned(found.data());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == numbers[1 + i % 2]);
  }
}

TEMPLATE_LIST_TEST_CASE("Every length is cut into vectors and a rest", "[simd]", test::Vectors) {
  using V = TestType;
  for (std::size_t size = 0; size <= 3 * simd::lanes<V>; ++size) {
    std::size_t next = 0;
    simd::for_each_vector<V>(size, [&](std::size_t at, std::size_t count) {
      CHECK(at == next);
      CHECK(count == std::min(simd::lanes<V>, size - at));
      next = at + count;
    });
    CHECK(next == size);
  }
}

// The functions that losses, layers and optimizers call, against the standard library's.
TEMPLATE_LIST_TEST_CASE("Functions of vectors are those of their elements", "[simd]", test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  const auto values = random_values<Scalar>(simd::lanes<V>, 5, -3.0, 3.0);
  const V x = simd::load<V>(values.data());
  const auto check = [&](const V& found, auto function) {
    const auto results = elements(found);
    for (std::size_t i = 0; i < results.size(); ++i) {
      CAPTURE(values[i]);
      CHECK_THAT(static_cast<double>(results[i]), WithinRel(function(static_cast<double>(values[i])),
                                                            8.0 * double{std::numeric_limits<Scalar>::epsilon()}));
    }
  };
  check(exp(x), [](double value) { return std::exp(value); });
  check(log(x * x), [](double value) { return std::log(value * value); });
  check(tanh(x), [](double value) { return std::tanh(value); });
  check(sqrt(x * x), [](double value) { return std::abs(value); });
  check(fma(x, x, V(Scalar{10})), [](double value) { return value * value + 10; });
  check(retort::select(x > V(Scalar{0}), x, V(Scalar{2})), [](double value) { return value > 0 ? value : 2; });
  check(select(x == x, x, V(Scalar{0})), [](double value) { return value; });
  V quotient = x;
  quotient /= V(Scalar{3});
  check(quotient, [](double value) { return value / 3; });
}

TEMPLATE_LIST_TEST_CASE("Comparisons of vectors are those of their elements", "[simd]", test::Vectors) {
  using V = TestType;
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t lanes = simd::lanes<V>;
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();
  const V yes(Scalar{1});
  const V no(Scalar{0});
  const std::vector<std::pair<Scalar, Scalar>> pairs{{Scalar{1}, Scalar{2}}, {Scalar{2}, Scalar{1}},
                                                     {Scalar{2}, Scalar{2}}, {Scalar{0}, -Scalar{0}},
                                                     {nan, Scalar{1}},       {nan, nan}};
  for (const auto& [left, right] : pairs) {
    CAPTURE(left, right);
    const V a(left);
    const V b(right);
    const auto check = [&](const V& found, bool expected) {
      CHECK(elements(found) == std::vector<Scalar>(lanes, expected ? Scalar{1} : Scalar{0}));
    };
    check(select(a < b, yes, no), left < right);
    check(select(a > b, yes, no), left > right);
    check(select(a <= b, yes, no), left <= right);
    check(select(a >= b, yes, no), left >= right);
    check(select(a == b, yes, no), left == right);
  }
}

}  // namespace
