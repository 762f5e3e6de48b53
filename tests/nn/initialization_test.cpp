// SPDX-License-Identifier: MIT
#include "retort/nn/initialization.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/linear.hpp"

namespace {

using namespace retort;

constexpr std::size_t in = 300;
constexpr std::size_t out = 200;
using L = Linear<in, out>;

template <typename Scalar = double>
std::vector<Scalar> weights(Initialization initialization, Seed seed = Seed{3}, std::uint32_t index = 0) {
  std::vector<Scalar> values(L::parameters[0].count());
  internal::initialize_tensor(initialization, L::parameters[0], seed, index, values.data());
  return values;
}

std::vector<double> biases(Initialization initialization) {
  std::vector<double> values(L::parameters[1].count());
  internal::initialize_tensor(initialization, L::parameters[1], Seed{3}, 1, values.data());
  return values;
}

// The mean of value^power.
double moment(const std::vector<double>& values, int power) {
  return std::accumulate(values.begin(), values.end(), 0.0,
                         [&](double sum, double value) { return sum + std::pow(value, power); }) /
         static_cast<double>(values.size());
}

// Means of 60,000 numbers: the bounds below are about four standard deviations of each.
void check_uniform(const std::vector<double>& values, double bound) {
  const auto [low, high] = std::ranges::minmax(values);
  CHECK(low >= -bound);
  CHECK(low < -0.999 * bound);
  CHECK(high < bound);
  CHECK(high > 0.999 * bound);
  CHECK_THAT(moment(values, 1) / bound, WithinAbs(0.0, 0.01));
  CHECK_THAT(moment(values, 2) / (bound * bound), WithinAbs(1.0 / 3.0, 0.005));
  CHECK_THAT(moment(values, 4) / std::pow(bound, 4), WithinAbs(0.2, 0.005));
}

void check_normal(const std::vector<double>& values, double variance) {
  CHECK_THAT(moment(values, 1) / std::sqrt(variance), WithinAbs(0.0, 0.017));
  CHECK_THAT(moment(values, 2) / variance, WithinAbs(1.0, 0.025));
  CHECK_THAT(moment(values, 3) / std::pow(variance, 1.5), WithinAbs(0.0, 0.065));
  CHECK_THAT(moment(values, 4) / (variance * variance), WithinAbs(3.0, 0.16));
}

TEST_CASE("Weights have the distribution that was chosen", "[nn]") {
  check_uniform(weights(Initialization::pytorch), 1.0 / std::sqrt(300.0));
  check_uniform(weights(Initialization::he_uniform), std::sqrt(6.0 / 300.0));
  check_uniform(weights(Initialization::xavier_uniform), std::sqrt(6.0 / 500.0));
  check_normal(weights(Initialization::he_normal), 2.0 / 300.0);
  check_normal(weights(Initialization::xavier_normal), 2.0 / 500.0);
}

TEST_CASE("Neighbouring normal numbers are not correlated", "[nn]") {
  const auto values = weights(Initialization::he_normal);
  double sum = 0.0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    sum += values[i] * values[i - 1];
  }
  CHECK_THAT(sum / static_cast<double>(values.size()) / (2.0 / 300.0), WithinAbs(0.0, 0.017));
}

TEST_CASE("Biases are random under PyTorch's initialisation and zero under the others", "[nn]") {
  const double bound = 1.0 / std::sqrt(300.0);
  const auto values = biases(Initialization::pytorch);
  const auto [low, high] = std::ranges::minmax(values);
  CHECK(low >= -bound);
  CHECK(high < bound);
  CHECK(high - low > 1.9 * bound);
  for (const auto other : {Initialization::he_uniform, Initialization::he_normal, Initialization::xavier_uniform,
                           Initialization::xavier_normal}) {
    CHECK(std::ranges::all_of(biases(other), [](double value) { return value == 0.0; }));
  }
}

TEST_CASE("Normalisation layers begin as the identity, whatever is chosen", "[nn]") {
  using N = BatchNorm<3>;
  for (const auto initialization : {Initialization::pytorch, Initialization::he_normal}) {
    const auto filled = [&](const TensorSpec& spec) {
      std::vector<double> values(spec.count(), 7.0);
      internal::initialize_tensor(initialization, spec, Seed{1}, 0, values.data());
      return values;
    };
    CHECK(filled(N::parameters[0]) == std::vector<double>{1, 1, 1});
    CHECK(filled(N::parameters[1]) == std::vector<double>{0, 0, 0});
    CHECK(filled(N::buffers[0]) == std::vector<double>{0, 0, 0});
    CHECK(filled(N::buffers[1]) == std::vector<double>{1, 1, 1});
    CHECK(filled(N::buffers[2]) == std::vector<double>{0});
  }
}

TEST_CASE("A tensor's numbers follow from seed and index alone, and float's are double's, rounded", "[nn]") {
  CHECK(weights(Initialization::pytorch) == weights(Initialization::pytorch));
  CHECK(weights(Initialization::pytorch) != weights(Initialization::pytorch, Seed{4}));
  CHECK(weights(Initialization::pytorch) != weights(Initialization::pytorch, Seed{3}, 1));
  for (const auto initialization : {Initialization::pytorch, Initialization::he_normal}) {
    const auto wide = weights<double>(initialization);
    const std::vector<float> rounded(wide.begin(), wide.end());
    CHECK(weights<float>(initialization) == rounded);
  }
}

}  // namespace
