#include "retort/backend/eigen/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;
using retort::test::random_values;
using retort::test::same_bits;

constexpr std::size_t width = 101;
constexpr std::size_t batch = 331;  // 33,431 elements: two pieces of flat memory and a part of a third
constexpr std::size_t size = width * batch;
constexpr backend::LayerRandom random_of_step{Seed{77}, 13, 2};

template <typename L, typename Scalar = float>
std::vector<Scalar> forward_of(const std::vector<Scalar>& input, backend::LayerRandom random = random_of_step,
                               unsigned threads = 1) {
  std::vector<Scalar> output(input.size(), std::numeric_limits<Scalar>::quiet_NaN());
  forward(backend::Eigen{threads}, L{}, backend::Width<width>{},
          backend::ForwardArguments<Scalar>{nullptr, nullptr, input.data(), output.data(), batch, random});
  return output;
}

template <typename L, typename Scalar = float>
std::vector<Scalar> backward_of(const std::vector<Scalar>& output_gradient) {
  std::vector<Scalar> input_gradient(output_gradient.size(), std::numeric_limits<Scalar>::quiet_NaN());
  backward(backend::Eigen{}, L{}, backend::Width<width>{},
           backend::BackwardArguments<Scalar>{nullptr, nullptr, nullptr, output_gradient.data(), input_gradient.data(),
                                              nullptr, batch, random_of_step});
  return input_gradient;
}

const std::vector<float> ones(size, 1.0f);

TEST_CASE("An element is dropped where its word is below rate * 2^32, and else scaled", "[backend]") {
  using L = Dropout<0.3>;
  const RandomStream words{Seed{77}, Stream::dropout, 13, 2};
  const auto input = random_values<double>(size, 1);
  const auto output = forward_of<L>(input);
  std::vector<double> expected(size);
  for (std::size_t element = 0; element < size; ++element) {
    const bool dropped = static_cast<double>(words.word(element)) < std::floor(0.3 * 4294967296.0);
    expected[element] = dropped ? 0.0 : input[element] * (1.0 / 0.7);
  }
  CHECK(same_bits(output, expected));
}

TEST_CASE("The backward pass has the forward pass's mask", "[backend]") {
  CHECK(same_bits(forward_of<Dropout<0.3>>(ones), backward_of<Dropout<0.3>>(ones)));
  CHECK(same_bits(forward_of<Dropout<0.9>>(ones), backward_of<Dropout<0.9>>(ones)));
}

template <typename L>
void check_rate() {
  CAPTURE(L::rate);
  const auto output = forward_of<L>(ones);
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
  CHECK(same_bits(forward_of<Dropout<0.0>>(ones), ones));
}

TEST_CASE("Seed, step and layer each give another mask; threads do not", "[backend]") {
  using L = Dropout<0.5>;
  const auto mask = forward_of<L>(ones);
  CHECK_FALSE(same_bits(mask, forward_of<L>(ones, {Seed{78}, 13, 2})));
  CHECK_FALSE(same_bits(mask, forward_of<L>(ones, {Seed{77}, 14, 2})));
  CHECK_FALSE(same_bits(mask, forward_of<L>(ones, {Seed{77}, 13, 3})));
  CHECK(same_bits(mask, forward_of<L>(ones, random_of_step, 2)));
  CHECK(same_bits(mask, forward_of<L>(ones, random_of_step, 5)));
}

TEST_CASE("Outside of training dropout is the identity", "[backend]") {
  auto input = random_values<float>(size, 1);
  std::vector<float> output(size, -9.0f);
  const backend::Eigen backend;
  infer(backend, Dropout<0.9>{}, backend::Width<width>{},
        backend::InferArguments<float>{nullptr, nullptr, input.data(), output.data(), batch});
  CHECK(same_bits(input, output));
  infer(backend, Dropout<0.9>{}, backend::Width<width>{},
        backend::InferArguments<float>{nullptr, nullptr, input.data(), input.data(), batch});
  CHECK(same_bits(input, output));
}

}  // namespace
