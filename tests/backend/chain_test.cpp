// SPDX-License-Identifier: MIT
#include "retort/backend/chain.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "catch.hpp"
#include "finite_difference.hpp"
#include "random_values.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;
using backend::apply_chain;
using backend::Chain;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::size_t group_size = internal::chain_group;
constexpr backend::LayerRandom random_of_step{Seed{77}, 13, 2};

static_assert(group_size == 4);
static_assert(Chain<Dropout<0.5>>::only_dropout);
static_assert(Chain<Dropout<0.5>, Dropout<0.1>>::only_dropout);
static_assert(!Chain<ReLU>::only_dropout);
static_assert(!Chain<Dropout<0.5>, ReLU>::only_dropout);

/// The four words of a group for dropout in the layer `layer`.
std::array<std::uint32_t, group_size> words_of(std::uint32_t layer, std::uint64_t group) {
  const RandomStream stream{Seed{77}, Stream::dropout, 13, layer};
  return {stream.word(4 * group), stream.word(4 * group + 1), stream.word(4 * group + 2), stream.word(4 * group + 3)};
}

TEST_CASE("Outside of training a chain is its elementwise layers in order", "[backend]") {
  const auto input = random_values<double>(group_size, 1, -3, 3);
  auto values = input;
  apply_chain<false, false>(Chain<Dropout<0.9>, Tanh, Dropout<0.5>, GELU>{}, random_of_step, 5, values.data());
  std::vector<double> expected;
  for (const double x : input) {
    expected.push_back(GELU::value(Tanh::value(x)));
  }
  CHECK(same_bits(values, expected));
}

TEST_CASE("In training each dropout layer of a chain has the mask of its own layer in the model", "[backend]") {
  // Groups near the beginning, and one that needs more than 32 bits.
  for (const std::uint64_t group : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 33}) {
    for (std::uint64_t i = 0; i < 200; ++i) {
      const auto input = random_values<double>(group_size, i, -3, 3);
      const auto incoming = random_values<double>(group_size, 1000 + i);
      auto values = input;
      auto gradients = incoming;
      apply_chain<true, true>(Chain<Dropout<0.3>, GELU, Dropout<0.5>>{}, random_of_step, group + i, values.data(),
                              gradients.data());
      const auto first = words_of(2, group + i);
      const auto second = words_of(4, group + i);
      std::vector<double> expected(group_size);
      std::vector<double> expected_gradients(group_size);
      for (std::size_t k = 0; k < group_size; ++k) {
        const bool first_dropped = first[k] < static_cast<std::uint32_t>(0.3 * 4294967296.0);
        const bool second_dropped = second[k] < 2147483648u;
        const double scale = 1.0 / (1.0 - 0.3);
        const double x = first_dropped ? 0.0 : input[k] * scale;
        const double y = GELU::value(x);
        expected[k] = second_dropped ? 0.0 : y * 2.0;
        expected_gradients[k] =
            first_dropped || second_dropped ? 0.0 : incoming[k] * scale * GELU::derivative(x, y) * 2.0;
      }
      REQUIRE(test::largest_difference(values, expected) < 1e-15);
      REQUIRE(test::largest_difference(gradients, expected_gradients) < 1e-15);
      auto values_alone = input;
      apply_chain<true, false>(Chain<Dropout<0.3>, GELU, Dropout<0.5>>{}, random_of_step, group + i,
                               values_alone.data());
      REQUIRE(same_bits(values_alone, values));
    }
  }
}

TEST_CASE("A chain's gradient is that of finite differences", "[backend]") {
  using C = Chain<Tanh, Dropout<0.4>, GELU, Tanh>;
  for (std::uint64_t group = 0; group < 20; ++group) {
    const auto input = random_values<double>(group_size, group, -2, 2);
    const auto incoming = random_values<double>(group_size, 100 + group);
    auto values = input;
    auto gradients = incoming;
    apply_chain<true, true>(C{}, random_of_step, group, values.data(), gradients.data());
    const auto difference = test::worst_gradient_difference(
        [&](std::vector<double> x) {
          apply_chain<true, false>(C{}, random_of_step, group, x.data());
          double sum = 0.0;
          for (std::size_t k = 0; k < group_size; ++k) {
            sum += x[k] * incoming[k];
          }
          return sum;
        },
        input, gradients);
    CHECK(difference.relative_error < 1e-8);
  }
}

}  // namespace
