// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/linear_spec.hpp"

#include "catch.hpp"
#include "retort/backend/cuda/graph/workspace.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;
using backend::Precision;

using Large = Sequential<Dropout<0.2>, Linear<35, 48>, Dropout<0.5>, ReLU, Linear<48, 33, Bias::no>, Linear<33, 20>,
                         ReLU, Linear<20, 10>, Tanh>;

static_assert(!keeps_sums<backend::Stage<Large, 0>> && !keeps_sums<backend::Stage<Large, 1>>);
static_assert(keeps_sums<backend::Stage<Large, 3>>);

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
