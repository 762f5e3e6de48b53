// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/chain.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/cuda/graph/operand.hpp"
#include "retort/backend/cuda/graph/step_arguments.hpp"
#include "retort/backend/thrust/backend.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/sgd.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;
using backend::Chain;
using backend::group_count;
using internal::differentiable_by_output;

constexpr std::size_t width = 7;
constexpr std::size_t size = 9 * width;
constexpr std::uint32_t layer = 3;

const backend::Thrust<retort::system::Serial>& serial() {
  static const backend::Thrust<retort::system::Serial> backend;
  return backend;
}

template <typename Scalar>
using Arguments = StepArguments<Scalar, 1, CrossEntropy, SgdRule<Scalar>>;

template <typename Scalar>
Arguments<Scalar> arguments() {
  Arguments<Scalar> result{};
  result.seed = Seed{8};
  result.step = 5;
  return result;
}

template <typename C, typename Scalar>
void check_chain() {
  const Arguments<Scalar> at = arguments<Scalar>();
  auto sums = test::random_values<Scalar>(size, 1);
  const auto bias = test::random_values<Scalar>(width, 2);
  const auto gradient = test::random_values<Scalar>(size, 3);

  // The same by the operations of the backend.
  auto biased = sums;
  for (std::size_t i = 0; i < size; ++i) {
    biased[i] += bias[i % width];
  }
  std::vector<Scalar> expected(size);
  std::vector<Scalar> expected_gradient(size);
  const backend::LayerRandom random{Seed{8}, 5, layer};
  backend::forward(serial(), C{}, backend::Width<width>{},
                   backend::ForwardArguments<Scalar>{nullptr, nullptr, biased.data(), expected.data(), 9, random});
  backend::backward(serial(), C{}, backend::Width<width>{},
                    backend::BackwardArguments<Scalar>{nullptr, biased.data(), expected.data(), gradient.data(),
                                                       expected_gradient.data(), nullptr, 9, random});

  auto kept = sums;
  std::vector<Scalar> output(size);
  std::vector<Bfloat16> rounded(size);
  serial().for_each(group_count(size), ChainForward<C, width, false, Arguments<Scalar>, Scalar>{
                                           &at, sums.data(), bias.data(), output.data(), size, layer});
  serial().for_each(group_count(size), ChainForward<C, width, true, Arguments<Scalar>, Scalar>{
                                           &at, kept.data(), bias.data(), output.data(), size, layer});
  CHECK(test::same_bits(output, expected));
  CHECK(test::same_bits(kept, biased));
  CHECK(test::same_bits(sums, test::random_values<Scalar>(size, 1)));

  std::vector<Scalar> input_gradient(size);
  serial().for_each(group_count(size), ChainBackward<C, false, Arguments<Scalar>, Scalar, Scalar>{
                                           &at, kept.data(), gradient.data(), input_gradient.data(), size, layer});
  CHECK(input_gradient == expected_gradient);
  if constexpr (differentiable_by_output<C>) {
    serial().for_each(group_count(size), ChainBackward<C, true, Arguments<Scalar>, Scalar, Scalar>{
                                             &at, output.data(), gradient.data(), input_gradient.data(), size, layer});
    CHECK(input_gradient == expected_gradient);
  }
}

TEMPLATE_TEST_CASE("a chain behind a product", "[graph]", float, double) {
  check_chain<Chain<ReLU>, TestType>();
  check_chain<Chain<Dropout<0.5>, ReLU>, TestType>();
  check_chain<Chain<ReLU, Dropout<0.3>, Dropout<0.1>>, TestType>();
  check_chain<Chain<Dropout<0.4>>, TestType>();
  check_chain<Chain<GELU, Dropout<0.4>>, TestType>();
}

TEST_CASE("a chain rounds what the next product takes", "[graph]") {
  const Arguments<float> at = arguments<float>();
  auto sums = test::random_values<float>(size, 1);
  std::vector<Bfloat16> output(size);
  serial().for_each(group_count(size), ChainForward<Chain<>, width, false, Arguments<float>, Bfloat16>{
                                           &at, sums.data(), nullptr, output.data(), size, layer});
  std::vector<Bfloat16> gradient(size);
  serial().for_each(group_count(size), ChainBackward<Chain<>, true, Arguments<float>, Bfloat16, Bfloat16>{
                                           &at, nullptr, sums.data(), gradient.data(), size, layer});
  for (std::size_t i = 0; i < size; ++i) {
    REQUIRE(output[i].bits == Bfloat16(sums[i]).bits);
    REQUIRE(gradient[i].bits == Bfloat16(sums[i]).bits);
  }
}

}  // namespace
