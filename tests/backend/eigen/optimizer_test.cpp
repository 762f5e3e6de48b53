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
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
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

// Small and odd, one piece, one chunk and a part, several chunks.
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

TEMPLATE_TEST_CASE("squared_norm is the sum of squares, the same bits for every number of threads", "[backend]", float,
                   double) {
  // The last size needs parts larger than a chunk of flat memory.
  for (const std::size_t size : {0u, 1u, 7u, 16384u, 40'001u, 1'100'003u}) {
    CAPTURE(size);
    const auto values = random_values<TestType>(size, 5);
    double expected = 0.0;
    for (const TestType value : values) {
      expected += double{value} * double{value};
    }
    const double norm = squared_norm(backend::Eigen{}, values.data(), size);
    CHECK_THAT(norm, WithinRel(expected, 1e-12));
    CHECK(squared_norm(backend::Eigen{2}, values.data(), size) == norm);
    CHECK(squared_norm(backend::Eigen{5}, values.data(), size) == norm);
  }
}

TEST_CASE("squared_norm does not overflow in float, and shows what is not finite", "[backend]") {
  std::vector<float> values(100, 1e30f);
  CHECK_THAT(squared_norm(backend::Eigen{}, values.data(), values.size()), WithinRel(1e62, 1e-6));
  values[99] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(squared_norm(backend::Eigen{}, values.data(), values.size())));
}

TEMPLATE_TEST_CASE("scale_values multiplies every value", "[backend]", float, double) {
  for (const std::size_t size : sizes) {
    const auto before = random_values<TestType>(size, 6);
    auto expected = before;
    std::ranges::for_each(expected, [](TestType& value) { value *= TestType(0.3); });
    for (const unsigned threads : {1u, 3u}) {
      auto values = before;
      scale_values(backend::Eigen{threads}, values.data(), size, TestType(0.3));
      CHECK(same_bits(values, expected));
    }
  }
}

}  // namespace
