// SPDX-License-Identifier: MIT
#include "retort/backend/generic/quantized_linear.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "catch.hpp"
#include "random_values.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/weight_format.hpp"

namespace {

using namespace retort;
using retort::test::largest_difference;
using retort::test::random_values;

constexpr std::size_t batch = 3;
constexpr std::size_t in = 5;
constexpr std::size_t out = 4;

/// A layer with its memory.
template <typename L>
struct Layer {
  backend::Eigen backend{1};
  std::vector<double> parameters = random_values<double>(tensor_offset(L::parameters, 2), 1);
  std::vector<double> buffers = std::vector<double>(2 * tensor_alignment);
  std::vector<double> output = std::vector<double>(batch * out);

  const std::vector<double>& forward(const std::vector<double>& input) {
    backend::forward(
        backend, L{}, backend::Width<in>{},
        backend::ForwardArguments<double>{parameters.data(), buffers.data(), input.data(), output.data(), batch, {}});
    return output;
  }
  std::array<double, 2> input_range() const { return {buffers[0], buffers[1]}; }
  std::array<double, 2> output_range() const { return {buffers[tensor_alignment], buffers[tensor_alignment + 1]}; }
};

/// The definition: a product of rounded numbers.
template <typename P>
std::vector<double> rounded_product(const std::vector<double>& parameters, const std::vector<double>& input) {
  std::vector<double> result;
  for (std::size_t sample = 0; sample < batch; ++sample) {
    for (std::size_t o = 0; o < out; ++o) {
      const double* row = parameters.data() + o * in;
      double largest = 0.0;
      for (std::size_t i = 0; i < in; ++i) {
        largest = std::max(largest, std::abs(row[i]));
      }
      double sum = parameters[2 * tensor_alignment + o];  // 20 weights take two places of 16
      for (std::size_t i = 0; i < in; ++i) {
        sum += std::round(row[i] / largest * P::largest) * largest / P::largest * input[sample * in + i];
      }
      result.push_back(sum);
    }
  }
  return result;
}

std::vector<double> as_bytes(std::vector<double> values, std::array<double, 2> range) {
  const internal::ByteScale<double> scale(range.data());
  for (double& value : values) {
    value = scale.value(scale.byte(value));
  }
  return values;
}

TEST_CASE("The first layer multiplies its inputs by rounded weights", "[backend]") {
  Layer<QuantizedLinear<in, out, Int8, QuantizedPlace{.first = true}>> layer;
  const auto input = random_values<double>(batch * in, 2);
  CHECK(largest_difference(layer.forward(input), rounded_product<Int8>(layer.parameters, input)) < 1e-12);
  Layer<QuantizedLinear<in, out, Int4, QuantizedPlace{.first = true}>> coarse;
  CHECK(largest_difference(coarse.forward(input), rounded_product<Int4>(coarse.parameters, input)) < 1e-12);
}

TEST_CASE("A later layer rounds its inputs, and one with a table its outputs", "[backend]") {
  const auto input = random_values<double>(batch * in, 2, 0.0, 3.0);
  Layer<QuantizedLinear<in, out, Int8>> layer;
  const auto output = layer.forward(input);
  CHECK(layer.input_range()[1] == *std::max_element(input.begin(), input.end()));
  CHECK(largest_difference(output, rounded_product<Int8>(layer.parameters, as_bytes(input, layer.input_range()))) <
        1e-12);
  Layer<QuantizedLinear<in, out, Int8, QuantizedPlace{.table = true}>> with_table;
  const auto rounded = with_table.forward(input);
  CHECK(with_table.output_range() == layer.output_range());
  CHECK(largest_difference(rounded, as_bytes(output, layer.output_range())) < 1e-12);
  // Outside of training it is the same.
  std::vector<double> inferred(batch * out);
  backend::infer(with_table.backend, QuantizedLinear<in, out, Int8, QuantizedPlace{.table = true}>{},
                 backend::Width<in>{},
                 backend::InferArguments<double>{with_table.parameters.data(), with_table.buffers.data(), input.data(),
                                                 inferred.data(), batch});
  CHECK(inferred == rounded);
}

TEST_CASE("Ranges move towards a batch's extremes, but that of the model's inputs only grows", "[backend]") {
  Layer<QuantizedLinear<in, out, Int8>> layer;
  Layer<QuantizedLinear<in, out, Int8, QuantizedPlace{.first = true}>> first;
  std::vector<double> input(batch * in);
  input[3] = -1.0;
  input[4] = 2.0;
  layer.forward(input);
  first.forward(input);
  CHECK(layer.input_range() == std::array{-1.0, 2.0});
  CHECK(first.input_range() == std::array{-1.0, 2.0});
  input[3] = -3.0;
  input[4] = 1.0;
  layer.forward(input);
  first.forward(input);
  CHECK(largest_difference(layer.input_range(), std::array{-1.02, 1.99}) < 1e-12);
  CHECK(first.input_range() == std::array{-3.0, 2.0});
}

TEST_CASE("Backward takes rounding as the identity, and as 0 beyond the range", "[backend]") {
  using L = QuantizedLinear<in, out, Int8>;
  Layer<L> layer;
  auto input = random_values<double>(batch * in, 2, 0.0, 3.0);
  layer.buffers[1] = 4.0;  // moves by a hundredth, so nothing is beyond
  layer.forward(input);
  input[7] = 5.0;  // beyond
  const auto incoming = random_values<double>(batch * out, 3);
  std::vector<double> gradients(layer.parameters.size());
  std::vector<double> input_gradient(batch * in);
  backend::backward(layer.backend, L{}, backend::Width<in>{},
                    backend::BackwardArguments<double>{.parameters = layer.parameters.data(),
                                                       .input = input.data(),
                                                       .output = layer.output.data(),
                                                       .output_gradient = incoming.data(),
                                                       .input_gradient = input_gradient.data(),
                                                       .parameter_gradients = gradients.data(),
                                                       .batch = batch,
                                                       .random = {},
                                                       .buffers = layer.buffers.data()});
  const auto rounded = as_bytes(input, layer.input_range());
  for (std::size_t o = 0; o < out; ++o) {
    double of_bias = 0.0;
    for (std::size_t sample = 0; sample < batch; ++sample) {
      of_bias += incoming[sample * out + o];
    }
    CHECK(std::abs(gradients[2 * tensor_alignment + o] - of_bias) < 1e-12);
    for (std::size_t i = 0; i < in; ++i) {
      double of_weight = 0.0;
      for (std::size_t sample = 0; sample < batch; ++sample) {
        of_weight += incoming[sample * out + o] * rounded[sample * in + i];
      }
      CHECK(std::abs(gradients[o * in + i] - of_weight) < 1e-12);
    }
  }
  CHECK(input_gradient[7] == 0.0);
  // The gradient of an input within the range is that through the rounded weights: a step of an input by a multiple of
  // the byte's step moves the output by as much.
  const double step = internal::ByteScale<double>(layer.buffers.data()).step;
  auto moved = as_bytes(input, layer.input_range());
  const auto before = rounded_product<Int8>(layer.parameters, moved);
  moved[2] += step;
  const auto after = rounded_product<Int8>(layer.parameters, moved);
  double expected = 0.0;
  for (std::size_t o = 0; o < out; ++o) {
    expected += incoming[o] * (after[o] - before[o]) / step;
  }
  CHECK(std::abs(input_gradient[2] - expected) < 1e-9);
}

}  // namespace
