#include "retort/backend/eigen/elementwise.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "golden/layer_golden.hpp"
#include "random_values.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/leaky_relu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"

namespace {

using namespace retort;
namespace golden = retort::golden::layer;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::size_t width = 3;

template <typename Scalar>
struct Result {
  std::vector<Scalar> inferred;
  std::vector<Scalar> output;
  std::vector<Scalar> gradient;
};

/// `input` and `incoming`: (batch, width)
template <typename L, typename Scalar>
Result<Scalar> run(const std::vector<Scalar>& input, const std::vector<Scalar>& incoming, unsigned threads = 1) {
  const backend::Eigen backend{threads};
  const std::size_t batch = input.size() / width;
  const std::vector<Scalar> garbage(input.size(), std::numeric_limits<Scalar>::quiet_NaN());
  Result<Scalar> result{garbage, garbage, garbage};
  infer(backend, L{}, backend::Width<width>{},
        backend::InferArguments<Scalar>{nullptr, nullptr, input.data(), result.inferred.data(), batch});
  forward(backend, L{}, backend::Width<width>{},
          backend::ForwardArguments<Scalar>{nullptr, nullptr, input.data(), result.output.data(), batch,
                                            backend::LayerRandom{}});
  backward(backend, L{}, backend::Width<width>{},
           backend::BackwardArguments<Scalar>{nullptr, input.data(), result.output.data(), incoming.data(),
                                              result.gradient.data(), nullptr, batch, backend::LayerRandom{}});
  return result;
}

using Layers = std::tuple<ReLU, LeakyReLU<>, LeakyReLU<0.2>, GELU, SiLU, Tanh, Sigmoid>;

// Eigen's vectorised functions are their own approximations: a few units in the last place of the scalar ones.
template <typename L, typename Scalar>
void check_against_scalars() {
  CAPTURE(L::name, sizeof(Scalar));
  // More than one piece of flat memory for the threads, and not a whole number of them.
  const std::size_t size = width * 12'001;
  const auto input = random_values<Scalar>(size, 1, -6, 6);
  const auto incoming = random_values<Scalar>(size, 2);
  const auto result = run<L>(input, incoming);
  std::vector<Scalar> output(size);
  std::vector<Scalar> gradient(size);
  for (std::size_t i = 0; i < size; ++i) {
    output[i] = L::value(input[i]);
    gradient[i] = incoming[i] * L::derivative(input[i], output[i]);
  }
  const double tolerance = sizeof(Scalar) == 4 ? 2e-6 : 5e-15;
  CHECK(largest_difference(result.output, output) < tolerance);
  CHECK(largest_difference(result.gradient, gradient) < tolerance);
  CHECK(largest_difference(result.inferred, output) < tolerance);
  for (const unsigned threads : {2u, 3u}) {
    const auto shared = run<L>(input, incoming, threads);
    CHECK(same_bits(shared.output, result.output));
    CHECK(same_bits(shared.gradient, result.gradient));
  }
}

TEMPLATE_LIST_TEST_CASE("A batch is the layer's scalar function, element by element", "[backend]", Layers) {
  check_against_scalars<TestType, float>();
  check_against_scalars<TestType, double>();
}

template <typename L>
void check_golden(const double* outputs, const double* gradients) {
  CAPTURE(L::name);
  const std::vector<double> input(golden::elementwise_input, golden::elementwise_input + golden::elementwise_size);
  const std::vector<double> incoming(golden::elementwise_incoming,
                                     golden::elementwise_incoming + golden::elementwise_size);
  const auto result = run<L>(input, incoming);
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
  const auto result = run<L>(input, incoming);
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

TEST_CASE("An elementwise layer may be inferred in place", "[backend]") {
  auto values = random_values<float>(width * 50, 3, -4, 4);
  const auto expected = run<GELU>(values, values).inferred;
  infer(backend::Eigen{}, GELU{}, backend::Width<width>{},
        backend::InferArguments<float>{nullptr, nullptr, values.data(), values.data(), 50});
  CHECK(same_bits(values, expected));
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
  const auto result = run<Cube>(input, {1.0f, 2.0f, -1.0f});
  CHECK(result.output == std::vector<float>{-8.0f, 0.125f, 27.0f});
  CHECK(result.gradient == std::vector<float>{12.0f, 1.5f, -27.0f});
}

}  // namespace
