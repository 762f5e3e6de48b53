// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A layer with weights, and its operation for every backend derived from Generic: the worked example of
/// CONTRIBUTING.md. In the library the first half stands in nn/, the second in backend/generic/.

#include <array>
#include <cstddef>
#include <string_view>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/nn/layer.hpp"

namespace worked_examples {

/// y = weight * x, feature by feature.
template <std::size_t N>
struct Scale {
  static constexpr std::string_view name = "Scale";
  static constexpr std::size_t input_size = N;
  static constexpr std::size_t output_size = N;
  static constexpr std::size_t flops = 0;

  static constexpr std::array parameters{retort::TensorSpec{"weight", {N}, 1, retort::InitialValue::one, N, N}};
  static constexpr std::array<retort::TensorSpec, 0> buffers{};
};

// The operation.

using retort::backend::Generic;
using retort::backend::Width;

template <std::size_t N, typename Scalar>
struct ScaleElement {
  const Scalar* weight;
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    output[element] = weight[element % N] * input[element];
  }
};

template <std::size_t N, typename Scalar>
struct ScaleWeightGradient {
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* weight_gradient;
  std::size_t batch;

  RETORT_HOST_DEVICE void operator()(std::size_t feature) const {
    Scalar sum = 0;
    for (std::size_t row = 0; row < batch; ++row) {
      sum += output_gradient[row * N + feature] * input[row * N + feature];
    }
    weight_gradient[feature] = sum;
  }
};

template <typename B, std::size_t N, typename Scalar>
void infer(const Generic<B>& generic, Scale<N>, Width<N>, const retort::backend::InferArguments<Scalar>& arguments) {
  retort::backend::for_each_of(generic.self(), arguments.batch * N,
                               ScaleElement<N, Scalar>{arguments.parameters, arguments.input, arguments.output});
}

template <typename B, std::size_t N, typename Scalar>
void forward(const Generic<B>& generic, Scale<N> layer, Width<N> width,
             const retort::backend::ForwardArguments<Scalar>& arguments) {
  infer(generic, layer, width,
        retort::backend::InferArguments<Scalar>{arguments.parameters, arguments.buffers, arguments.input,
                                                arguments.output, arguments.batch});
}

template <typename B, std::size_t N, typename Scalar>
void backward(const Generic<B>& generic, Scale<N>, Width<N>,
              const retort::backend::BackwardArguments<Scalar>& arguments) {
  retort::backend::for_each_of(generic.self(), N,
                               ScaleWeightGradient<N, Scalar>{arguments.input, arguments.output_gradient,
                                                              arguments.parameter_gradients, arguments.batch});
  if (arguments.input_gradient != nullptr) {
    retort::backend::for_each_of(
        generic.self(), arguments.batch * N,
        ScaleElement<N, Scalar>{arguments.parameters, arguments.output_gradient, arguments.input_gradient});
  }
}

}  // namespace worked_examples
