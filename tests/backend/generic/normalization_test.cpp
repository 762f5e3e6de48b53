// SPDX-License-Identifier: MIT
#include "retort/backend/generic/normalization.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "catch.hpp"
#include "golden/layer_golden.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/layer.hpp"

namespace {

using namespace retort;
namespace golden = retort::golden::layer;
using retort::test::largest_difference;
using retort::test::random_values;
using retort::test::same_bits;

/// One normalisation layer with its memory.
template <typename L, typename Scalar>
struct Layer {
  static constexpr std::size_t n = L::input_size;
  static constexpr std::size_t bias_at = tensor_offset(L::parameters, 1);

  explicit Layer(std::size_t samples, unsigned threads = 1)
      : batch(samples),
        backend(threads),
        parameters(2 * bias_at),
        buffers(tensor_offset(L::buffers, L::buffers.size())),
        gradients(2 * bias_at) {
    std::fill_n(parameters.begin(), n, Scalar{1});
    if (!buffers.empty()) {
      std::fill_n(buffers.begin() + bias_at, n, Scalar{1});
    }
  }

  void set(const auto& weight, const auto& bias) {
    for (std::size_t i = 0; i < n; ++i) {
      parameters[i] = static_cast<Scalar>(weight[i]);
      parameters[bias_at + i] = static_cast<Scalar>(bias[i]);
    }
  }

  std::vector<Scalar> forward(const std::vector<Scalar>& input) {
    std::vector<Scalar> output(input.size(), std::numeric_limits<Scalar>::quiet_NaN());
    retort::backend::forward(backend, L{}, backend::Width<n>{},
                             backend::ForwardArguments<Scalar>{parameters.data(), buffers.data(), input.data(),
                                                               output.data(), batch, backend::LayerRandom{}});
    return output;
  }

  std::vector<Scalar> infer(const std::vector<Scalar>& input) const {
    std::vector<Scalar> output(input.size(), std::numeric_limits<Scalar>::quiet_NaN());
    retort::backend::infer(
        backend, L{}, backend::Width<n>{},
        backend::InferArguments<Scalar>{parameters.data(), buffers.data(), input.data(), output.data(), batch});
    return output;
  }

  std::vector<Scalar> backward(const std::vector<Scalar>& input, const std::vector<Scalar>& output,
                               const std::vector<Scalar>& incoming) {
    std::vector<Scalar> input_gradient(input.size(), std::numeric_limits<Scalar>::quiet_NaN());
    std::ranges::fill(gradients, std::numeric_limits<Scalar>::quiet_NaN());
    retort::backend::backward(
        backend, L{}, backend::Width<n>{},
        backend::BackwardArguments<Scalar>{parameters.data(), input.data(), output.data(), incoming.data(),
                                           input_gradient.data(), gradients.data(), batch, backend::LayerRandom{}});
    return input_gradient;
  }

  std::span<const Scalar> weight_gradient() const { return {gradients.data(), n}; }
  std::span<const Scalar> bias_gradient() const { return {gradients.data() + bias_at, n}; }

  std::size_t batch;
  backend::Eigen backend;
  std::vector<Scalar> parameters;
  std::vector<Scalar> buffers;
  std::vector<Scalar> gradients;
};

template <typename Scalar>
std::vector<Scalar> from_golden(const double* values, std::size_t count) {
  return {values, values + count};
}

constexpr std::size_t golden_size = golden::norm_batch * golden::norm_features;

TEMPLATE_TEST_CASE("LayerNorm equals PyTorch's", "[backend][golden]", float, double) {
  const double tolerance = sizeof(TestType) == 4 ? 2e-6 : 1e-14;
  Layer<LayerNorm<golden::norm_features>, TestType> layer(golden::norm_batch);
  layer.set(golden::norm_weight, golden::norm_bias);
  const auto input = from_golden<TestType>(golden::norm_input, golden_size);
  const auto output = layer.forward(input);
  CHECK(largest_difference(output, golden::layer_norm_output) < tolerance);
  CHECK(same_bits(layer.infer(input), output));
  const auto gradient = layer.backward(input, output, from_golden<TestType>(golden::norm_incoming, golden_size));
  CHECK(largest_difference(gradient, golden::layer_norm_input_gradient) < tolerance);
  CHECK(largest_difference(layer.weight_gradient(), golden::layer_norm_weight_gradient) < 2 * tolerance);
  CHECK(largest_difference(layer.bias_gradient(), golden::layer_norm_bias_gradient) < tolerance);
}

TEMPLATE_TEST_CASE("BatchNorm equals PyTorch's", "[backend][golden]", float, double) {
  const double tolerance = sizeof(TestType) == 4 ? 2e-6 : 1e-14;
  using L = BatchNorm<golden::norm_features>;
  Layer<L, TestType> layer(golden::norm_batch);
  layer.set(golden::norm_weight, golden::norm_bias);
  const auto input = from_golden<TestType>(golden::norm_input, golden_size);
  const auto output = layer.forward(input);
  CHECK(largest_difference(output, golden::batch_norm_output) < tolerance);
  const std::span mean{layer.buffers.data(), golden::norm_features};
  const std::span variance{layer.buffers.data() + tensor_offset(L::buffers, 1), golden::norm_features};
  CHECK(largest_difference(mean, golden::batch_norm_running_mean) < tolerance);
  CHECK(largest_difference(variance, golden::batch_norm_running_variance) < tolerance);
  CHECK(layer.buffers[tensor_offset(L::buffers, 2)] == TestType{1});
  const auto gradient = layer.backward(input, output, from_golden<TestType>(golden::norm_incoming, golden_size));
  CHECK(largest_difference(gradient, golden::batch_norm_input_gradient) < tolerance);
  CHECK(largest_difference(layer.weight_gradient(), golden::batch_norm_weight_gradient) < 2 * tolerance);
  CHECK(largest_difference(layer.bias_gradient(), golden::batch_norm_bias_gradient) < tolerance);
  CHECK(largest_difference(layer.infer(input), golden::batch_norm_evaluation_output) < tolerance);
}

// Far from zero mean, and more columns than one strip.
constexpr std::size_t features = 150;
constexpr std::size_t samples = 40;
const std::vector<double> inputs = random_values<double>(samples * features, 4, 2.0, 8.0);

TEST_CASE("A normalised row has mean 0 and variance 1", "[backend]") {
  Layer<LayerNorm<features>, double> layer(samples);
  const auto output = layer.forward(inputs);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t i = 0; i < features; ++i) {
      sum += output[sample * features + i];
      squares += output[sample * features + i] * output[sample * features + i];
    }
    CHECK_THAT(sum / features, WithinAbs(0.0, 1e-13));
    CHECK_THAT(squares / features, WithinAbs(1.0, 1e-5));
  }
}

TEST_CASE("A normalised column has mean 0 and variance 1, in every strip", "[backend]") {
  Layer<BatchNorm<features>, double> layer(samples);
  const auto output = layer.forward(inputs);
  for (std::size_t i = 0; i < features; ++i) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t sample = 0; sample < samples; ++sample) {
      sum += output[sample * features + i];
      squares += output[sample * features + i] * output[sample * features + i];
    }
    CHECK_THAT(sum / samples, WithinAbs(0.0, 1e-13));
    CHECK_THAT(squares / samples, WithinAbs(1.0, 1e-5));
  }
}

TEST_CASE("Running statistics move a tenth of the way to the batch's, and end there", "[backend]") {
  using L = BatchNorm<features>;
  Layer<L, double> layer(samples);
  std::vector<double> batch_mean(features);
  std::vector<double> batch_variance(features);
  for (std::size_t i = 0; i < features; ++i) {
    for (std::size_t sample = 0; sample < samples; ++sample) {
      batch_mean[i] += inputs[sample * features + i] / samples;
    }
    for (std::size_t sample = 0; sample < samples; ++sample) {
      batch_variance[i] += std::pow(inputs[sample * features + i] - batch_mean[i], 2) / (samples - 1);
    }
  }
  const auto check_share = [&](double share) {
    const double* mean = layer.buffers.data();
    const double* variance = layer.buffers.data() + tensor_offset(L::buffers, 1);
    for (std::size_t i = 0; i < features; ++i) {
      CHECK_THAT(mean[i], WithinRel(share * batch_mean[i], 1e-12));
      CHECK_THAT(variance[i], WithinRel(1.0 - share + share * batch_variance[i], 1e-12));
    }
  };
  layer.forward(inputs);
  check_share(0.1);
  layer.forward(inputs);
  check_share(0.19);
  for (int step = 0; step < 400; ++step) {
    layer.forward(inputs);
  }
  check_share(1.0);
  CHECK(layer.buffers[tensor_offset(L::buffers, 2)] == 402.0);
}

TEST_CASE("The backward pass leaves running statistics alone", "[backend]") {
  Layer<BatchNorm<features>, double> layer(samples);
  const auto output = layer.forward(inputs);
  const auto before = layer.buffers;
  layer.backward(inputs, output, inputs);
  CHECK(same_bits(before, layer.buffers));
}

TEST_CASE("A constant feature is finite: epsilon stands for its variance", "[backend]") {
  const std::vector<float> constant(4 * 5, 3.0f);
  Layer<BatchNorm<5>, float> batch_norm(4);
  Layer<LayerNorm<5>, float> layer_norm(4);
  for (const float value : batch_norm.forward(constant)) {
    CHECK(value == 0.0f);
  }
  for (const float value : layer_norm.forward(constant)) {
    CHECK(value == 0.0f);
  }
  for (const float value : batch_norm.backward(constant, constant, random_values<float>(20, 1))) {
    CHECK(std::isfinite(value));
  }
}

TEST_CASE("The number of threads changes no bit of BatchNorm", "[backend]") {
  const auto incoming = random_values<double>(inputs.size(), 9);
  Layer<BatchNorm<features>, double> alone(samples);
  const auto output = alone.forward(inputs);
  const auto gradient = alone.backward(inputs, output, incoming);
  for (const unsigned threads : {2u, 3u}) {
    Layer<BatchNorm<features>, double> shared(samples, threads);
    CHECK(same_bits(shared.forward(inputs), output));
    CHECK(same_bits(shared.buffers, alone.buffers));
    CHECK(same_bits(shared.backward(inputs, output, incoming), gradient));
    CHECK(same_bits(shared.weight_gradient(), alone.weight_gradient()));
  }
}

}  // namespace
