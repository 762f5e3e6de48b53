// SPDX-License-Identifier: MIT
#include "retort/quantization/folded.hpp"

#include <span>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/relu.hpp"

namespace {

using namespace retort;
using retort::test::largest_difference;
using retort::test::random_values;

using Plain = Sequential<Linear<3, 4>, ReLU>;
static_assert(std::is_same_v<Folded<Plain>, Plain>);

using Normalised = Sequential<BatchNorm<5>, Linear<5, 4, Bias::no>, BatchNorm<4>, ReLU, Dropout<0.5>, LayerNorm<4>,
                              Linear<4, 3>, BatchNorm<3>, BatchNorm<3>>;
static_assert(std::is_same_v<Folded<Normalised>, Sequential<BatchNorm<5>, Linear<5, 4>, ReLU, Dropout<0.5>,
                                                            LayerNorm<4>, Linear<4, 3>, BatchNorm<3>>>);

static_assert(internal::unfolded_index<Plain>(1) == 1);
static_assert(internal::unfolded_index<Normalised>(1) == 1);  // the Linear before a BatchNorm
static_assert(internal::unfolded_index<Normalised>(2) == 3);
static_assert(internal::unfolded_index<Normalised>(5) == 6);
static_assert(internal::unfolded_index<Normalised>(6) == 8);

TEST_CASE("A network without its BatchNorm layers gives the same answers", "[quantization]") {
  Network<Normalised, backend::Eigen, double> network{Seed{1}};
  // Values of all parameters and statistics; variances are above 0.
  network.assign_parameters(random_values<double>(Normalised::parameter_arena_size, 2));
  network.assign_buffers(random_values<double>(Normalised::buffer_arena_size, 3, 0.1, 2.0));
  network.set_preprocessing(Preprocessing{.mean = 0.25});
  const auto folded = fold_batch_norm(network);
  CHECK(folded.preprocessing() == network.preprocessing());
  const auto inputs = random_values<double>(20 * 5, 4);
  std::vector<double> expected(20 * 3);
  std::vector<double> logits(20 * 3);
  network.predict(inputs, expected);
  folded.predict(inputs, logits);
  CHECK(largest_difference(logits, expected) < 1e-12);
}

}  // namespace
