// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/blocks.hpp"

#include <type_traits>

#include "catch.hpp"
#include "retort/backend/cuda/graph/linear_spec.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;
using backend::Chain;
using backend::Precision;

using Large = Sequential<Dropout<0.2>, Linear<35, 48>, Dropout<0.5>, ReLU, Linear<48, 33, Bias::no>, Linear<33, 20>,
                         ReLU, Linear<20, 10>, Tanh>;

static_assert(GraphModel<Large> && GraphModel<Sequential<Linear<3, 2>>>);
static_assert(!GraphModel<Sequential<Linear<3, 2>, LayerNorm<2>>>);

static_assert(std::is_same_v<Blocks<Large>::FrontChain, Chain<Dropout<0.2>>> && Blocks<Large>::size == 4);
static_assert(std::is_same_v<Block<Large, 0>::Linear, Linear<35, 48>> && Block<Large, 0>::chain_layer == 2);
static_assert(std::is_same_v<Block<Large, 0>::Chain, Chain<Dropout<0.5>, ReLU>> && !Block<Large, 0>::keeps_sums);
static_assert(std::is_same_v<Block<Large, 1>::Chain, backend::NoChain> && !Block<Large, 1>::keeps_sums);
static_assert(std::is_same_v<Block<Large, 3>::Chain, Chain<Tanh>> && Block<Large, 3>::keeps_sums);
static_assert(Block<Large, 3>::is_last && Block<Large, 0>::weight_offset == 0);
static_assert(Block<Large, 0>::bias_offset == 35 * 48 && Block<Large, 1>::weight_offset == 35 * 48 + 48);

static_assert(differentiable_by_output<Chain<ReLU>> && differentiable_by_output<Chain<ReLU, Dropout<0.5>, ReLU>>);
static_assert(!differentiable_by_output<Chain<Dropout<0.5>>> && !differentiable_by_output<Chain<ReLU, GELU>>);
static_assert(!differentiable_by_output<backend::NoChain>);

TEST_CASE("what a product does of what stands behind it", "[graph]") {
  constexpr auto exact = linear_specs<Large, float, Precision::tf32>();
  CHECK((!exact[0].adds_bias && !exact[0].applies_relu && !exact[0].needs_input_gradient && exact[0].scaled));
  CHECK((!exact[1].has_bias && !exact[1].adds_bias && exact[1].needs_input_gradient && !exact[1].scaled));
  CHECK((exact[2].adds_bias && exact[2].applies_relu));
  CHECK((exact[3].has_bias && !exact[3].adds_bias));
  // The next product's factors are of another type than this one's sums.
  constexpr auto rounded = linear_specs<Large, float, Precision::bf16>();
  CHECK((!rounded[2].adds_bias && !rounded[2].applies_relu));
  CHECK(linear_specs<Sequential<Linear<3, 2>>, float, Precision::bf16>()[0].adds_bias);
  CHECK(!linear_specs<Large, double, Precision::bf16>()[0].scaled);
}

}  // namespace
