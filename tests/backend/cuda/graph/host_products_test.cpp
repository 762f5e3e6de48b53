// SPDX-License-Identifier: MIT
#include "retort/backend/cuda/graph/host_products.hpp"
#include "retort/core/matrix_view.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "random_values.hpp"

namespace {

using namespace retort;
using namespace retort::backend::graph;
using backend::Precision;
using Backend = backend::Thrust<retort::system::Serial>;

constexpr std::size_t batch = 6;
constexpr std::size_t in = 5;
constexpr std::size_t out = 4;
constexpr LinearSpec finished{in, out, true, true, true, true, true};
constexpr LinearSpec left_alone{in, out, true, false, false, true, false};

/// A factor as the precision takes it, in double.
template <Precision precision>
double as_factor(float value) {
  if constexpr (precision == Precision::bf16) {
    return static_cast<double>(static_cast<float>(Bfloat16(value)));
  } else if constexpr (precision == Precision::tf32) {
    return static_cast<double>(round_to_tf32(value));
  } else {
    return static_cast<double>(value);
  }
}

template <Precision precision>
void check_products() {
  using Products = HostProducts<retort::system::Serial, float, precision>;
  using Factor = typename Products::Factor;
  const Backend backend;
  const auto input = test::random_values<float>(batch * in, 1);
  const auto weight = test::random_values<float>(out * in, 2);
  const auto bias = test::random_values<float>(out, 3);
  const auto gradient = test::random_values<float>(batch * out, 4);
  const auto factors = [](const std::vector<float>& values) {
    std::vector<Factor> result;
    std::ranges::transform(values, std::back_inserter(result), [](float value) { return static_cast<Factor>(value); });
    return result;
  };
  const auto x = factors(input);
  const auto w = factors(weight);
  const auto g = factors(gradient);
  constexpr float scale = 0.25f;

  std::vector<double> plain(batch * out);
  std::vector<double> weight_gradient(out * in);
  std::vector<double> input_gradient(batch * in);
  std::vector<double> bias_gradient(out);
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t o = 0; o < out; ++o) {
      const double go = as_factor<precision>(gradient[b * out + o]);
      bias_gradient[o] += precision == Precision::bf16 ? go : static_cast<double>(gradient[b * out + o]);
      for (std::size_t i = 0; i < in; ++i) {
        const double xi = as_factor<precision>(input[b * in + i]);
        const double wi = as_factor<precision>(weight[o * in + i]);
        plain[b * out + o] += xi * wi;
        weight_gradient[o * in + i] += go * xi;
        input_gradient[b * in + i] += go * wi;
      }
    }
  }

  const std::array specs{finished, left_alone};
  Products products(backend, specs, batch);
  const MatrixView<const Factor> inputs(x.data(), batch, in);
  const MatrixView<const Factor> output_gradients(g.data(), batch, out);
  const LinearTensors<const Factor, const float> linear{{w.data(), out, in}, bias.data()};
  std::vector<float> output(batch * out);
  products.forward(backend, 1, inputs, linear, 1.0f, MatrixView(output.data(), batch, out));
  CHECK(test::largest_difference(output, plain) < 1e-6);
  products.forward(backend, 0, inputs, linear, scale, MatrixView(output.data(), batch, out));
  for (std::size_t i = 0; i < plain.size(); ++i) {
    plain[i] = std::max(0.0, double{scale} * plain[i] + static_cast<double>(bias[i % out]));
  }
  CHECK(test::largest_difference(output, plain) < 1e-6);

  std::vector<float> found(out * in);
  std::vector<float> found_bias(out);
  products.gradients(backend, 1, inputs, output_gradients, scale, {{found.data(), out, in}, found_bias.data()});
  std::ranges::for_each(weight_gradient, [](double& value) { value *= double{scale}; });
  CHECK(test::largest_difference(found, weight_gradient) < 1e-6);
  CHECK(test::largest_difference(found_bias, bias_gradient) < 1e-6);

  std::vector<float> found_input(batch * in);
  products.input_gradient(backend, 1, linear.weight, output_gradients, MatrixView(found_input.data(), batch, in));
  CHECK(test::largest_difference(found_input, input_gradient) < 1e-6);
}

TEST_CASE("products of factors in each precision", "[graph]") {
  check_products<Precision::fp32>();
  check_products<Precision::tf32>();
  check_products<Precision::bf16>();
}

}  // namespace
