// SPDX-License-Identifier: MIT
#include "retort/backend/plan.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;
using backend::Chain;
using backend::Plan;
using backend::Width;

template <Model M, typename... Expected>
constexpr bool is_planned_as() {
  return std::is_same_v<typename Plan<M>::Operations, std::tuple<Expected...>>;
}

using OneLayer = Sequential<Linear<5, 3>>;
using Perceptron = Sequential<Linear<8, 6>, Dropout<0.5>, ReLU, Linear<6, 4>>;
// Chains first, last and between; two sized layers without one.
using Mixed = Sequential<Dropout<0.2>, Tanh, Linear<6, 9>, GELU, Linear<9, 5, Bias::no>, BatchNorm<5>, ReLU,
                         Dropout<0.25>, Tanh, LayerNorm<5>, Linear<5, 4>, ReLU>;
// A user's sized layer that learns nothing may come first.
struct Halve {
  static constexpr std::string_view name = "Halve";
  static constexpr std::size_t input_size = 6;
  static constexpr std::size_t output_size = 3;
  static constexpr std::size_t flops = 0;
  static constexpr std::array<TensorSpec, 0> parameters{};
  static constexpr std::array<TensorSpec, 0> buffers{};
};
using HalvedFirst = Sequential<Halve, ReLU, Linear<3, 2>>;
using NothingLearned = Sequential<ReLU, Halve, Tanh>;

static_assert(is_planned_as<OneLayer, Linear<5, 3>>());
static_assert(is_planned_as<Sequential<ReLU, Linear<5, 3>>, Chain<ReLU>, Linear<5, 3>>());
static_assert(is_planned_as<Sequential<Linear<5, 3>, ReLU>, Linear<5, 3>, Chain<ReLU>>());
static_assert(is_planned_as<Perceptron, Linear<8, 6>, Chain<Dropout<0.5>, ReLU>, Linear<6, 4>>());
static_assert(is_planned_as<Mixed, Chain<Dropout<0.2>, Tanh>, Linear<6, 9>, Chain<GELU>, Linear<9, 5, Bias::no>,
                            BatchNorm<5>, Chain<ReLU, Dropout<0.25>, Tanh>, LayerNorm<5>, Linear<5, 4>, Chain<ReLU>>());

using Stages = Sequential<Dropout<0.2>, Linear<35, 48>, Dropout<0.5>, ReLU, Linear<48, 33, Bias::no>, Linear<33, 20>,
                          ReLU, Linear<20, 10>, Tanh>;
template <std::size_t Index>
using Stage = backend::Stage<Stages, Index>;

static_assert(backend::FullyConnectedModel<Stages> && backend::FullyConnectedModel<OneLayer>);
static_assert(!backend::FullyConnectedModel<Mixed>);
static_assert(std::is_same_v<backend::ChainAt<Plan<Stages>, 0>, Chain<Dropout<0.2>>>);
static_assert(std::is_same_v<Stage<0>::Linear, Linear<35, 48>> && Stage<0>::chain_layer == 2);
static_assert(std::is_same_v<Stage<0>::Chain, Chain<Dropout<0.5>, ReLU>> && Stage<0>::has_chain);
static_assert(std::is_same_v<Stage<1>::Chain, Chain<>> && !Stage<1>::has_chain && !Stage<1>::has_bias);
static_assert(std::is_same_v<Stage<3>::Chain, Chain<Tanh>> && Stage<3>::is_last && !Stage<2>::is_last);
static_assert(Stage<0>::weight == 0 && Stage<0>::bias == 35 * 48 && Stage<1>::weight == 35 * 48 + 48);

using internal::differentiable_by_output;
static_assert(differentiable_by_output<Chain<ReLU>> && differentiable_by_output<Chain<ReLU, Dropout<0.5>, ReLU>>);
static_assert(!differentiable_by_output<Chain<Dropout<0.5>>> && !differentiable_by_output<Chain<ReLU, GELU>>);
static_assert(!differentiable_by_output<Chain<>> && !differentiable_by_output<Linear<5, 3>>);

TEST_CASE("Operations know where in the model they begin and how wide they are", "[backend]") {
  using P = Plan<Mixed>;
  STATIC_REQUIRE(P::size == 9);
  CHECK(P::first_layer == std::array<std::size_t, 10>{0, 2, 3, 4, 5, 6, 9, 10, 11, 12});
  CHECK(P::first_layer.back() == Mixed::layer_count);
  CHECK(P::widths == std::array<std::size_t, 10>{6, 6, 9, 9, 5, 5, 5, 5, 4, 4});
  STATIC_REQUIRE(P::widest == 9);
  STATIC_REQUIRE(std::is_same_v<P::InputWidth<2>, Width<9>>);
  STATIC_REQUIRE(std::is_same_v<P::InputWidth<8>, Width<4>>);
  STATIC_REQUIRE(P::is_chain<0>);
  STATIC_REQUIRE(!P::is_chain<1>);
  STATIC_REQUIRE(P::is_chain<5>);
  STATIC_REQUIRE(!P::is_chain<7>);
  STATIC_REQUIRE(P::is_chain<8>);

  STATIC_REQUIRE(Plan<OneLayer>::size == 1);
  CHECK(Plan<OneLayer>::widths == std::array<std::size_t, 2>{5, 3});
  // The widest may be what enters or what leaves the model.
  STATIC_REQUIRE(Plan<OneLayer>::widest == 5);
  STATIC_REQUIRE(Plan<Sequential<Linear<3, 5>>>::widest == 5);
}

TEST_CASE("The first operation that learns is the one of the model's first parameters", "[backend]") {
  STATIC_REQUIRE(Plan<OneLayer>::first_trained == 0);
  STATIC_REQUIRE(Plan<Perceptron>::first_trained == 0);
  STATIC_REQUIRE(Plan<Mixed>::first_trained == 1);
  STATIC_REQUIRE(Plan<HalvedFirst>::first_trained == 2);
  STATIC_REQUIRE(Plan<NothingLearned>::first_trained == 3);
  STATIC_REQUIRE(Plan<NothingLearned>::size == 3);
}

TEST_CASE("Indices are passed through in order and in reverse", "[backend]") {
  std::vector<std::size_t> indices;
  internal::for_each_index<4>([&]<std::size_t Index>() { indices.push_back(Index); });
  CHECK(indices == std::vector<std::size_t>{0, 1, 2, 3});
  indices.clear();
  internal::for_each_index_reversed<4>([&]<std::size_t Index>() { indices.push_back(Index); });
  CHECK(indices == std::vector<std::size_t>{3, 2, 1, 0});
  indices.clear();
  internal::for_each_index<0>([&]<std::size_t Index>() { indices.push_back(Index); });
  internal::for_each_index_reversed<0>([&]<std::size_t Index>() { indices.push_back(Index); });
  CHECK(indices.empty());
}

}  // namespace
