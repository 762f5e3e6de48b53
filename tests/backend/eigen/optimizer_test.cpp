// SPDX-License-Identifier: MIT
#include "retort/backend/eigen/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/sgd.hpp"

namespace {

using namespace retort;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

// The simplest optimizer there can be: no moments.
struct PlainRule {
  double rate;
  void operator()(auto&& parameter, const auto& gradient) const { parameter -= rate * gradient; }
};

// Aligned as the arenas of a network: elsewhere Eigen takes other elements one by one.
template <typename T>
struct ArenaAllocator {
  using value_type = T;
  ArenaAllocator() = default;
  template <typename U>
  ArenaAllocator(const ArenaAllocator<U>&) {}
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{arena_alignment}));
  }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, std::align_val_t{arena_alignment}); }
  friend bool operator==(const ArenaAllocator&, const ArenaAllocator&) = default;
};

template <typename Scalar>
using ArenaVector = std::vector<Scalar, ArenaAllocator<Scalar>>;

template <typename Scalar>
ArenaVector<Scalar> in_arena(const std::vector<Scalar>& values) {
  return {values.begin(), values.end()};
}

template <typename Scalar>
struct Arenas {
  explicit Arenas(std::size_t size)
      : parameters(in_arena(random_values<Scalar>(size, 1))),
        gradients(in_arena(random_values<Scalar>(size, 2))),
        moments{in_arena(random_values<Scalar>(size, 3)), in_arena(random_values<Scalar>(size, 4, 0.0, 1.0))} {}

  template <std::size_t Count>
  std::array<Scalar*, Count> moment_pointers() {
    std::array<Scalar*, Count> pointers{};
    std::ranges::generate(pointers, [this, i = std::size_t{0}]() mutable { return moments[i++].data(); });
    return pointers;
  }

  ArenaVector<Scalar> parameters;
  ArenaVector<Scalar> gradients;
  std::array<ArenaVector<Scalar>, 2> moments;
};

// Small and odd, one piece, one piece and a part, several pieces.
constexpr std::array<std::size_t, 8> sizes{0, 1, 7, 1024, 1025, 16384, 16389, 40'001};

template <typename Scalar, typename Rule, std::size_t Moments>
void check_update(const Rule& rule) {
  for (const std::size_t size : sizes) {
    CAPTURE(size, sizeof(Scalar), Moments);
    const Arenas<Scalar> before(size);
    Arenas<Scalar> expected = before;
    for (std::size_t i = 0; i < size; ++i) {
      if constexpr (Moments == 0) {
        rule(expected.parameters[i], expected.gradients[i]);
      } else if constexpr (Moments == 1) {
        rule(expected.parameters[i], expected.gradients[i], expected.moments[0][i]);
      } else {
        rule(expected.parameters[i], expected.gradients[i], expected.moments[0][i], expected.moments[1][i]);
      }
    }
    const auto update = [&](unsigned threads) {
      Arenas<Scalar> arenas = before;
      update_parameters(backend::Eigen{threads}, rule, arenas.parameters.data(),
                        static_cast<const Scalar*>(arenas.gradients.data()), arenas.template moment_pointers<Moments>(),
                        size);
      return arenas;
    };
    const auto result = update(1);
    const double tolerance = sizeof(Scalar) == 4 ? 1e-6 : 1e-15;
    CHECK(largest_difference(result.parameters, expected.parameters) <= tolerance);
    CHECK(largest_difference(result.moments[0], expected.moments[0]) <= tolerance);
    CHECK(largest_difference(result.moments[1], expected.moments[1]) <= tolerance);
    CHECK(same_bits(result.gradients, before.gradients));
    const auto shared = update(3);
    CHECK(same_bits(shared.parameters, result.parameters));
    CHECK(same_bits(shared.moments[0], result.moments[0]));
    CHECK(same_bits(shared.moments[1], result.moments[1]));
  }
}

TEMPLATE_TEST_CASE("Arenas of every size are updated by the scalar rule", "[backend]", float, double) {
  check_update<TestType, SgdRule<TestType>, 1>(
      Sgd{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1}.rule<TestType>(1, 0.05));
  check_update<TestType, AdamRule<TestType>, 2>(Adam{.beta1 = 0.5, .weight_decay = 0.1}.rule<TestType>(3, 0.01));
  check_update<TestType, AdamRule<TestType>, 2>(AdamW{}.rule<TestType>(3, 0.01));
}

TEST_CASE("A rule without moments is updated too", "[backend]") { check_update<double, PlainRule, 0>({0.1}); }

/// The Euclidean norm in long double.
template <typename Scalar>
double norm_of(const std::vector<Scalar>& values) {
  long double sum = 0;
  for (const Scalar value : values) {
    sum += static_cast<long double>(value) * static_cast<long double>(value);
  }
  return static_cast<double>(std::sqrt(sum));
}

template <typename Scalar>
std::vector<Scalar> clipped(std::vector<Scalar> values, double max_norm, unsigned threads = 1) {
  clip_gradients(backend::Eigen{threads}, GradientClipping{max_norm}, values.data(), values.size());
  return values;
}

// The last size needs parts larger than a piece of flat memory.
constexpr std::array<std::size_t, 6> norm_sizes{1, 7, 1025, 16384, 40'001, 1'100'003};

TEMPLATE_TEST_CASE("A gradient longer than the limit is shortened to it, the same bits for every number of threads",
                   "[backend]", float, double) {
  for (const std::size_t size : norm_sizes) {
    CAPTURE(size);
    const auto values = random_values<TestType>(size, 5);
    const double norm = norm_of(values);
    const double max_norm = 0.3 * norm;
    const auto result = clipped(values, max_norm);
    // The clipping's denominator is the norm and 1e-6.
    CHECK_THAT(norm_of(result), WithinRel(max_norm * norm / (norm + 1e-6), 1e-6));
    CHECK_THAT(norm_of(result), WithinRel(max_norm, 1e-5));
    const double factor = GradientClipping{max_norm}.clip_factor(norm);
    std::vector<TestType> expected = values;
    std::ranges::for_each(expected, [&](TestType& value) { value *= static_cast<TestType>(factor); });
    CHECK(largest_difference(result, expected) <= (sizeof(TestType) == 4 ? 1e-7 : 1e-14));
    CHECK(same_bits(clipped(values, max_norm, 2), result));
    CHECK(same_bits(clipped(values, max_norm, 5), result));
  }
}

TEMPLATE_TEST_CASE("A gradient within the limit keeps its bits", "[backend]", float, double) {
  for (const std::size_t size : norm_sizes) {
    const auto values = random_values<TestType>(size, 5);
    CHECK(same_bits(clipped(values, 1.01 * norm_of(values)), values));
  }
  const std::vector<TestType> zeros(100, TestType{0});
  CHECK(same_bits(clipped(zeros, 1e-3), zeros));
  CHECK(clipped(std::vector<TestType>{}, 1.0).empty());
}

TEST_CASE("The norm does not overflow in float", "[backend]") {
  const auto result = clipped(std::vector<float>(100, 1e30f), 1.0);
  CHECK_THAT(double{result[0]}, WithinRel(0.1, 1e-6));
  CHECK_THAT(double{result[99]}, WithinRel(0.1, 1e-6));
}

TEMPLATE_TEST_CASE("A gradient that is not finite becomes NaN as a whole, wherever it is not", "[backend]", float,
                   double) {
  using Limits = std::numeric_limits<TestType>;
  const std::size_t size = 40'001;
  for (const TestType bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{16384}, size - 1}) {
      CAPTURE(bad, place);
      auto values = random_values<TestType>(size, 5);
      values[place] = bad;
      const auto result = clipped(values, 1.0, 2);
      CHECK(std::ranges::all_of(result, [](TestType value) { return std::isnan(value); }));
    }
  }
}

TEMPLATE_TEST_CASE("all_finite sees one number that is not, wherever it is", "[backend]", float, double) {
  using Limits = std::numeric_limits<TestType>;
  for (const std::size_t size : norm_sizes) {
    CAPTURE(size);
    auto values = random_values<TestType>(size, 5);
    const auto finite = [&](unsigned threads) {
      return all_finite(backend::Eigen{threads}, static_cast<const TestType*>(values.data()), size);
    };
    CHECK(finite(1));
    CHECK(finite(3));
    for (const TestType bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
      for (const std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
        CAPTURE(bad, place);
        const TestType good = values[place];
        values[place] = bad;
        CHECK_FALSE(finite(1));
        CHECK_FALSE(finite(3));
        values[place] = good;
      }
    }
  }
  const TestType* nothing = nullptr;
  CHECK(all_finite(backend::Eigen{}, nothing, 0));
}

TEST_CASE("The largest numbers are finite", "[backend]") {
  const std::vector<float> values(100, std::numeric_limits<float>::max());
  CHECK(all_finite(backend::Eigen{}, values.data(), values.size()));
}

}  // namespace
