// SPDX-License-Identifier: MIT
#include "retort/backend/generic/chain.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "golden/layer_golden.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;
namespace golden = retort::golden::layer;
using backend::Chain;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

constexpr backend::LayerRandom random_of_step{Seed{77}, 13, 2};

template <typename Scalar>
struct Result {
  std::vector<Scalar> inferred;
  std::vector<Scalar> output;
  std::vector<Scalar> gradient;
};

/// `input` and `incoming` (batch, 1).
template <typename C, typename Scalar>
Result<Scalar> run(const std::vector<Scalar>& input, const std::vector<Scalar>& incoming, unsigned threads = 1,
                   backend::LayerRandom random = random_of_step) {
  const backend::Eigen backend{threads};
  const std::vector<Scalar> garbage(input.size(), std::numeric_limits<Scalar>::quiet_NaN());
  Result<Scalar> result{garbage, garbage, garbage};
  infer(backend, C{}, backend::Width<1>{},
        backend::InferArguments<Scalar>{nullptr, nullptr, input.data(), result.inferred.data(), input.size()});
  forward(
      backend, C{}, backend::Width<1>{},
      backend::ForwardArguments<Scalar>{nullptr, nullptr, input.data(), result.output.data(), input.size(), random});
  backward(backend, C{}, backend::Width<1>{},
           backend::BackwardArguments<Scalar>{nullptr, input.data(), result.output.data(), incoming.data(),
                                              result.gradient.data(), nullptr, input.size(), random});
  return result;
}

/// The same by the scalar functions, four elements at a time.
template <typename C, typename Scalar>
Result<Scalar> run_scalars(const std::vector<Scalar>& input, const std::vector<Scalar>& incoming) {
  constexpr std::size_t group_size = internal::chain_group;
  const std::size_t size = (input.size() + group_size - 1) / group_size * group_size;
  Result<Scalar> result{input, input, incoming};
  result.inferred.resize(size);
  result.output.resize(size);
  result.gradient.resize(size);
  for (std::size_t at = 0; at < size; at += group_size) {
    const std::uint64_t group = at / group_size;
    backend::apply_chain<false, false>(C{}, random_of_step, group, result.inferred.data() + at);
    backend::apply_chain<true, true>(C{}, random_of_step, group, result.output.data() + at,
                                     result.gradient.data() + at);
  }
  result.inferred.resize(input.size());
  result.output.resize(input.size());
  result.gradient.resize(input.size());
  return result;
}

using Layers = std::tuple<ReLU, LeakyReLU<>, LeakyReLU<0.2>, GELU, SiLU, Tanh, Sigmoid>;
using Chains = std::tuple<Chain<ReLU>, Chain<LeakyReLU<0.2>>, Chain<GELU>, Chain<SiLU>, Chain<Tanh>, Chain<Sigmoid>,
                          Chain<Dropout<0.3>>, Chain<ReLU, Dropout<0.25>>, Chain<Dropout<0.2>, GELU>,
                          Chain<Dropout<0.5>, Dropout<0.25>>, Chain<Tanh, Dropout<0.4>, SiLU, Dropout<0.1>, Sigmoid>>;

// Eigen's vectorised functions are their own approximations: a few units in the last place of the scalar ones.
template <typename Scalar>
constexpr double tolerance = sizeof(Scalar) == 4 ? 4e-6 : 1e-14;

// More than one piece of flat memory for the threads, and neither a whole number of them nor of blocks.
constexpr std::size_t large = 36'003;

template <typename C, typename Scalar>
void check_against_scalars() {
  CAPTURE(sizeof(Scalar));
  const auto input = random_values<Scalar>(large, 1, -6, 6);
  const auto incoming = random_values<Scalar>(large, 2);
  const auto result = run<C>(input, incoming);
  const auto expected = run_scalars<C>(input, incoming);
  CHECK(largest_difference(result.inferred, expected.inferred) < tolerance<Scalar>);
  CHECK(largest_difference(result.output, expected.output) < tolerance<Scalar>);
  CHECK(largest_difference(result.gradient, expected.gradient) < tolerance<Scalar>);
  for (const unsigned threads : {2u, 3u, 5u}) {
    const auto shared = run<C>(input, incoming, threads);
    CHECK(same_bits(shared.inferred, result.inferred));
    CHECK(same_bits(shared.output, result.output));
    CHECK(same_bits(shared.gradient, result.gradient));
  }
}

TEMPLATE_LIST_TEST_CASE("A chain is its scalar functions, element by element, for every number of threads", "[backend]",
                        Chains) {
  check_against_scalars<TestType, float>();
  check_against_scalars<TestType, double>();
}

TEST_CASE("Chains of one multiplication an element have the scalar functions' bits", "[backend]") {
  using C = Chain<ReLU, Dropout<0.3>>;
  const auto input = random_values<float>(large, 1, -6, 6);
  const auto incoming = random_values<float>(large, 2);
  const auto result = run<C>(input, incoming);
  const auto expected = run_scalars<C>(input, incoming);
  CHECK(same_bits(result.inferred, expected.inferred));
  CHECK(same_bits(result.output, expected.output));
  CHECK(same_bits(result.gradient, expected.gradient));
}

TEMPLATE_LIST_TEST_CASE("A layer alone is its value and derivative", "[backend]", Layers) {
  using L = TestType;
  const auto input = random_values<double>(1000, 1, -6, 6);
  const auto incoming = random_values<double>(1000, 2);
  const auto result = run<Chain<L>>(input, incoming);
  std::vector<double> output(input.size());
  std::vector<double> gradient(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    output[i] = L::value(input[i]);
    gradient[i] = incoming[i] * L::derivative(input[i], output[i]);
  }
  CHECK(largest_difference(result.inferred, output) < 5e-15);
  CHECK(largest_difference(result.output, output) < 5e-15);
  CHECK(largest_difference(result.gradient, gradient) < 5e-15);
}

template <typename C, typename Scalar>
void check_every_length() {
  CAPTURE(sizeof(Scalar));
  const std::size_t most = 130;
  const auto input = random_values<Scalar>(most, 1, -4, 4);
  const auto incoming = random_values<Scalar>(most, 2);
  const auto whole = run<C>(input, incoming);
  for (std::size_t size = 0; size <= most; ++size) {
    CAPTURE(size);
    const auto first = [&](const std::vector<Scalar>& values) {
      return std::vector<Scalar>(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(size));
    };
    const auto part = run<C>(first(input), first(incoming));
    REQUIRE(same_bits(part.inferred, first(whole.inferred)));
    REQUIRE(same_bits(part.output, first(whole.output)));
    REQUIRE(same_bits(part.gradient, first(whole.gradient)));
  }
}

TEMPLATE_LIST_TEST_CASE("An element's bits do not depend on how many follow it", "[backend]", Chains) {
  check_every_length<TestType, float>();
  check_every_length<TestType, double>();
}

TEST_CASE("Nothing is written behind the last element", "[backend]") {
  using C = Chain<Tanh, Dropout<0.5>>;
  const backend::Eigen backend;
  const auto input = random_values<float>(130, 1);
  for (std::size_t size = 0; size < input.size(); ++size) {
    std::vector<float> output(input.size(), -9.0f);
    const auto untouched = [&] {
      return std::all_of(output.begin() + static_cast<std::ptrdiff_t>(size), output.end(),
                         [](float value) { return value == -9.0f; });
    };
    infer(backend, C{}, backend::Width<1>{},
          backend::InferArguments<float>{nullptr, nullptr, input.data(), output.data(), size});
    REQUIRE(untouched());
    forward(backend, C{}, backend::Width<1>{},
            backend::ForwardArguments<float>{nullptr, nullptr, input.data(), output.data(), size, random_of_step});
    REQUIRE(untouched());
    backward(backend, C{}, backend::Width<1>{},
             backend::BackwardArguments<float>{nullptr, input.data(), input.data(), input.data(), output.data(),
                                               nullptr, size, random_of_step});
    REQUIRE(untouched());
  }
}

TEST_CASE("The width of a chain only multiplies the batch", "[backend]") {
  using C = Chain<GELU, Dropout<0.5>>;
  const auto input = random_values<float>(300, 1, -4, 4);
  std::vector<float> output(300);
  forward(backend::Eigen{}, C{}, backend::Width<60>{},
          backend::ForwardArguments<float>{nullptr, nullptr, input.data(), output.data(), 5, random_of_step});
  CHECK(same_bits(output, run<C>(input, input).output));
}

/// Layers[0], Layers[1], ..., each a chain of its own with the index of its own layer in the model.
template <typename Scalar, typename... Ls>
Result<Scalar> run_one_after_another(Chain<Ls...>, const std::vector<Scalar>& input,
                                     const std::vector<Scalar>& incoming) {
  const backend::Eigen backend;
  std::vector<std::vector<Scalar>> activations{input};
  Result<Scalar> result;
  result.inferred = input;
  backend::LayerRandom random = random_of_step;
  const auto ahead = [&]<typename L>(L) {
    std::vector<Scalar> output(input.size());
    forward(backend, Chain<L>{}, backend::Width<1>{},
            backend::ForwardArguments<Scalar>{nullptr, nullptr, activations.back().data(), output.data(), input.size(),
                                              random});
    activations.push_back(output);
    infer(backend, Chain<L>{}, backend::Width<1>{},
          backend::InferArguments<Scalar>{nullptr, nullptr, result.inferred.data(), result.inferred.data(),
                                          input.size()});
    ++random.layer;
  };
  (ahead(Ls{}), ...);
  result.output = activations.back();

  std::vector<std::vector<Scalar>> gradients;  // of each layer's output with respect to its input
  random = random_of_step;
  std::size_t index = 0;
  const std::vector<Scalar> ones(input.size(), Scalar{1});
  const auto back = [&]<typename L>(L) {
    gradients.emplace_back(input.size());
    backward(backend, Chain<L>{}, backend::Width<1>{},
             backend::BackwardArguments<Scalar>{nullptr, activations[index].data(), activations[index + 1].data(),
                                                ones.data(), gradients.back().data(), nullptr, input.size(), random});
    ++index;
    ++random.layer;
  };
  (back(Ls{}), ...);
  result.gradient = incoming;
  for (const auto& gradient : gradients) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      result.gradient[i] *= gradient[i];
    }
  }
  return result;
}

using LongChains = std::tuple<Chain<Dropout<0.5>, Dropout<0.25>>, Chain<Tanh, Sigmoid, GELU>,
                              Chain<Dropout<0.2>, GELU, Dropout<0.3>, Tanh, LeakyReLU<0.2>, Dropout<0.1>>>;

TEMPLATE_LIST_TEST_CASE("A chain is its layers one after another", "[backend]", LongChains) {
  const auto input = random_values<double>(1000, 1, -3, 3);
  const auto incoming = random_values<double>(1000, 2);
  const auto together = run<TestType>(input, incoming);
  const auto apart = run_one_after_another(TestType{}, input, incoming);
  CHECK(same_bits(together.inferred, apart.inferred));
  CHECK(same_bits(together.output, apart.output));
  CHECK(largest_difference(together.gradient, apart.gradient) < 1e-14);
}

TEST_CASE("No input gradient is written where none is wanted", "[backend]") {
  const std::vector<float> values(10, 1.0f);
  CHECK_NOTHROW(backward(backend::Eigen{}, Chain<ReLU>{}, backend::Width<1>{},
                         backend::BackwardArguments<float>{nullptr, values.data(), values.data(), values.data(),
                                                           nullptr, nullptr, values.size(), random_of_step}));
}

template <typename L>
void check_golden(const double* outputs, const double* gradients) {
  CAPTURE(L::name);
  const std::vector<double> input(golden::elementwise_input, golden::elementwise_input + golden::elementwise_size);
  const std::vector<double> incoming(golden::elementwise_incoming,
                                     golden::elementwise_incoming + golden::elementwise_size);
  const auto result = run<Chain<L>>(input, incoming);
  for (std::size_t i = 0; i < golden::elementwise_size; ++i) {
    CHECK_THAT(result.output[i], WithinAbs(outputs[i], 1e-14));
    CHECK_THAT(result.gradient[i], WithinAbs(gradients[i], 1e-14));
  }
}

TEST_CASE("A batch equals PyTorch's", "[backend][golden]") {
  check_golden<ReLU>(golden::relu_output, golden::relu_gradient);
  check_golden<LeakyReLU<>>(golden::leaky_relu_output, golden::leaky_relu_gradient);
  check_golden<GELU>(golden::gelu_output, golden::gelu_gradient);
  check_golden<SiLU>(golden::silu_output, golden::silu_gradient);
  check_golden<Tanh>(golden::tanh_output, golden::tanh_gradient);
  check_golden<Sigmoid>(golden::sigmoid_output, golden::sigmoid_gradient);
}

template <typename L, typename Scalar>
void check_extremes() {
  CAPTURE(L::name, sizeof(Scalar));
  // Enough of each for whole SIMD registers and for what is left behind them.
  std::vector<Scalar> input;
  for (const Scalar x : {Scalar(-1e4), Scalar(-100), Scalar(0), Scalar(100), Scalar(1e4)}) {
    input.insert(input.end(), 21, x);
  }
  const std::vector<Scalar> incoming(input.size(), Scalar(1));
  const auto result = run<Chain<L>>(input, incoming);
  for (std::size_t i = 0; i < input.size(); ++i) {
    CAPTURE(i, input[i]);
    CHECK_THAT(double{result.output[i]}, WithinAbs(double{L::value(input[i])}, 1e-6));
    CHECK_THAT(double{result.gradient[i]}, WithinAbs(double{L::derivative(input[i], L::value(input[i]))}, 1e-6));
  }
}

TEMPLATE_LIST_TEST_CASE("Far from zero the vectorised functions stay those of scalars", "[backend]", Layers) {
  check_extremes<TestType, float>();
  check_extremes<TestType, double>();
}

TEST_CASE("A chain may be inferred in place", "[backend]") {
  const auto check = []<typename C>(C) {
    auto values = random_values<float>(150, 3, -4, 4);
    const auto expected = run<C>(values, values).inferred;
    infer(backend::Eigen{}, C{}, backend::Width<3>{},
          backend::InferArguments<float>{nullptr, nullptr, values.data(), values.data(), 50});
    CHECK(same_bits(values, expected));
  };
  check(Chain<GELU>{});
  check(Chain<Dropout<0.5>, Tanh, SiLU>{});
  check(Chain<Dropout<0.5>>{});
}

constexpr std::size_t size = 33'431;  // two pieces of flat memory and a part of a third
const std::vector<float> ones(size, 1.0f);

template <typename L>
std::vector<float> mask_of(backend::LayerRandom random = random_of_step, unsigned threads = 1) {
  return run<Chain<L>>(ones, ones, threads, random).output;
}

TEST_CASE("An element is dropped where its word is below rate * 2^32, and else scaled", "[backend]") {
  using L = Dropout<0.3>;
  const RandomStream words{Seed{77}, Stream::dropout, 13, 2};
  const auto input = random_values<double>(size, 1);
  std::vector<double> expected(size);
  for (std::size_t element = 0; element < size; ++element) {
    const bool dropped = static_cast<double>(words.word(element)) < std::floor(0.3 * 4294967296.0);
    expected[element] = dropped ? 0.0 : input[element] * (1.0 / 0.7);
  }
  CHECK(same_bits(run<Chain<L>>(input, input).output, expected));
}

TEST_CASE("In a chain each dropout layer has the mask of its own layer in the model", "[backend]") {
  using C = Chain<Dropout<0.3>, ReLU, Dropout<0.5>>;
  const RandomStream first{Seed{77}, Stream::dropout, 13, 2};
  const RandomStream second{Seed{77}, Stream::dropout, 13, 4};
  const auto result = run<C>(ones, ones);
  for (std::size_t element = 0; element < size; ++element) {
    const bool dropped =
        static_cast<double>(first.word(element)) < std::floor(0.3 * 4294967296.0) || second.word(element) < 2147483648u;
    REQUIRE((result.output[element] == 0.0f) == dropped);
    REQUIRE((result.gradient[element] == 0.0f) == dropped);
  }
}

TEST_CASE("The backward pass has the forward pass's mask", "[backend]") {
  const auto check = []<typename L>(L) {
    const auto result = run<Chain<L>>(ones, ones);
    CHECK(same_bits(result.output, result.gradient));
  };
  check(Dropout<0.3>{});
  check(Dropout<0.9>{});
}

template <typename L>
void check_rate() {
  CAPTURE(L::rate);
  const auto output = mask_of<L>();
  const auto kept = static_cast<double>(std::ranges::count_if(output, [](float value) { return value != 0.0f; }));
  const double deviation = std::sqrt(L::rate * (1.0 - L::rate) / static_cast<double>(size));
  CHECK_THAT(kept / static_cast<double>(size), WithinAbs(1.0 - L::rate, 3.5 * deviation));
  const auto scale = static_cast<float>(1.0 / (1.0 - L::rate));
  CHECK(std::ranges::all_of(output, [&](float value) { return value == 0.0f || value == scale; }));
}

TEST_CASE("The share of 1 - rate is kept and scaled so that the expected value stays", "[backend]") {
  check_rate<Dropout<0.1>>();
  check_rate<Dropout<0.3>>();
  check_rate<Dropout<0.5>>();
  check_rate<Dropout<0.9>>();
  CHECK(same_bits(mask_of<Dropout<0.0>>(), ones));
}

TEST_CASE("Seed, step and layer each give another mask, threads do not", "[backend]") {
  using L = Dropout<0.5>;
  const auto mask = mask_of<L>();
  CHECK_FALSE(same_bits(mask, mask_of<L>({Seed{78}, 13, 2})));
  CHECK_FALSE(same_bits(mask, mask_of<L>({Seed{77}, 14, 2})));
  CHECK_FALSE(same_bits(mask, mask_of<L>({Seed{77}, 13, 3})));
  CHECK(same_bits(mask, mask_of<L>(random_of_step, 2)));
  CHECK(same_bits(mask, mask_of<L>(random_of_step, 5)));
}

TEST_CASE("Outside of training dropout is the identity", "[backend]") {
  const auto input = random_values<float>(size, 1);
  CHECK(same_bits(run<Chain<Dropout<0.9>>>(input, input).inferred, input));
  CHECK(same_bits(run<Chain<Dropout<0.9>, Dropout<0.1>>>(input, input).inferred, input));
  CHECK(same_bits(run<Chain<Dropout<0.9>, Tanh>>(input, input).inferred, run<Chain<Tanh>>(input, input).inferred));
}

// A layer of the user's own needs no more than its two functions.
struct Cube {
  static constexpr std::string_view name = "Cube";
  template <typename T>
  static auto value(const T& x) {
    return x * x * x;
  }
  template <typename T>
  static auto derivative(const T& x, const T& /*y*/) {
    return 3 * x * x;
  }
};

TEST_CASE("A layer of the user's own runs as it is", "[backend]") {
  const std::vector<float> input{-2.0f, 0.5f, 3.0f};
  const auto result = run<Chain<Cube>>(input, {1.0f, 2.0f, -1.0f});
  CHECK(result.output == std::vector<float>{-8.0f, 0.125f, 27.0f});
  CHECK(result.gradient == std::vector<float>{12.0f, 1.5f, -27.0f});
}

TEST_CASE("A layer of the user's own runs in a chain with others", "[backend]") {
  const std::vector<float> input{-2.0f, 0.5f, 3.0f};
  const auto result = run<Chain<Cube, ReLU, Cube>>(input, {1.0f, 2.0f, -1.0f});
  CHECK(result.output == std::vector<float>{0.0f, 0.001953125f, 19683.0f});
  CHECK(result.gradient == std::vector<float>{0.0f, 0.0703125f, -59049.0f});
}

}  // namespace
