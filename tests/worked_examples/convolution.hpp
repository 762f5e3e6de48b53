// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A layer with weights, and its operation for every backend derived from Generic: the worked example of
/// CONTRIBUTING.md. In the library the first half stands in nn/, the second in backend/generic/.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/text.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/shape.hpp"

namespace worked_examples {

/// K x K filters of every channel, without padding: torch.nn.Conv2d(In, Out, K). `Input` is a Shape<In, Rows, Columns>.
template <typename Input, std::size_t Out, std::size_t K>
struct Convolution;

template <std::size_t In, std::size_t Rows, std::size_t Columns, std::size_t Out, std::size_t K>
struct Convolution<retort::Shape<In, Rows, Columns>, Out, K> {
  static_assert(Out > 0 && K > 0 && K <= Rows && K <= Columns, "a Convolution's filters fit the image");
  using input_shape = retort::Shape<In, Rows, Columns>;
  using output_shape = retort::Shape<Out, Rows - K + 1, Columns - K + 1>;

  static constexpr std::string_view name = "Convolution";
  static constexpr std::size_t filter_size = In * K * K;
  static constexpr std::size_t positions = (Rows - K + 1) * (Columns - K + 1);
  static constexpr std::size_t input_size = input_shape::size;
  static constexpr std::size_t output_size = output_shape::size;
  static constexpr std::size_t flops = 2 * filter_size * output_size;

  static constexpr std::array parameters{
      retort::TensorSpec{"weight", {Out, In, K, K}, 4, retort::InitialValue::weight, filter_size, Out* K* K},
      retort::TensorSpec{"bias", {Out}, 1, retort::InitialValue::bias, filter_size, Out* K* K}};
  static constexpr std::array<retort::TensorSpec, 0> buffers{};

  static std::string describe() {
    return retort::concatenate({"Convolution(", In, "x", Rows, "x", Columns, ", ", Out, ", ", K, ")"});
  }

  /// The input that weight `tap` of a filter meets at a position of the output.
  RETORT_HOST_DEVICE static constexpr std::size_t input_at(std::size_t position, std::size_t tap) {
    const std::size_t row = position / (Columns - K + 1) + tap / K % K;
    const std::size_t column = position % (Columns - K + 1) + tap % K;
    return (tap / (K * K) * Rows + row) * Columns + column;
  }
};

// The operation.

using retort::backend::Generic;
using retort::backend::Width;

template <typename L, typename Scalar>
struct Convolve {
  const Scalar* weight;
  const Scalar* bias;
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const Scalar* x = input + element / L::output_size * L::input_size;
    const std::size_t channel = element % L::output_size / L::positions;
    Scalar sum = bias[channel];
    for (std::size_t tap = 0; tap < L::filter_size; ++tap) {
      sum += weight[channel * L::filter_size + tap] * x[L::input_at(element % L::positions, tap)];
    }
    output[element] = sum;
  }
};

/// All of a channel's gradients: its filter's and its bias's.
template <typename L, typename Scalar>
struct FilterGradient {
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* weight_gradient;
  Scalar* bias_gradient;
  std::size_t batch;

  RETORT_HOST_DEVICE void operator()(std::size_t channel) const {
    Scalar* filter = weight_gradient + channel * L::filter_size;
    for (std::size_t tap = 0; tap < L::filter_size; ++tap) {
      filter[tap] = 0;
    }
    Scalar sum = 0;
    for (std::size_t sample = 0; sample < batch; ++sample) {
      const Scalar* x = input + sample * L::input_size;
      const Scalar* dy = output_gradient + sample * L::output_size + channel * L::positions;
      for (std::size_t position = 0; position < L::positions; ++position) {
        sum += dy[position];
        for (std::size_t tap = 0; tap < L::filter_size; ++tap) {
          filter[tap] += dy[position] * x[L::input_at(position, tap)];
        }
      }
    }
    bias_gradient[channel] = sum;
  }
};

/// One sample's.
template <typename L, typename Scalar>
struct ConvolutionInputGradient {
  const Scalar* weight;
  const Scalar* output_gradient;
  Scalar* input_gradient;

  RETORT_HOST_DEVICE void operator()(std::size_t sample) const {
    Scalar* dx = input_gradient + sample * L::input_size;
    for (std::size_t i = 0; i < L::input_size; ++i) {
      dx[i] = 0;
    }
    for (std::size_t element = 0; element < L::output_size; ++element) {
      const Scalar dy = output_gradient[sample * L::output_size + element];
      const Scalar* filter = weight + element / L::positions * L::filter_size;
      for (std::size_t tap = 0; tap < L::filter_size; ++tap) {
        dx[L::input_at(element % L::positions, tap)] += dy * filter[tap];
      }
    }
  }
};

template <typename B, typename Input, std::size_t Out, std::size_t K, typename Scalar>
void infer(const Generic<B>& generic, Convolution<Input, Out, K>, Width<Input::size>,
           const retort::backend::InferArguments<Scalar>& arguments) {
  using L = Convolution<Input, Out, K>;
  const Scalar* bias = arguments.parameters + retort::tensor_offset(L::parameters, 1);
  retort::backend::for_each_of<L::filter_size>(
      generic.self(), arguments.batch * L::output_size,
      Convolve<L, Scalar>{arguments.parameters, bias, arguments.input, arguments.output});
}

template <typename B, typename Input, std::size_t Out, std::size_t K, typename Scalar>
void forward(const Generic<B>& generic, Convolution<Input, Out, K> layer, Width<Input::size> width,
             const retort::backend::ForwardArguments<Scalar>& arguments) {
  infer(generic, layer, width, arguments.inference());
}

template <typename B, typename Input, std::size_t Out, std::size_t K, typename Scalar>
void backward(const Generic<B>& generic, Convolution<Input, Out, K>, Width<Input::size>,
              const retort::backend::BackwardArguments<Scalar>& arguments) {
  using L = Convolution<Input, Out, K>;
  Scalar* bias_gradient = arguments.parameter_gradients + retort::tensor_offset(L::parameters, 1);
  retort::backend::for_each_of<L::filter_size * L::positions>(
      generic.self(), Out,
      FilterGradient<L, Scalar>{arguments.input, arguments.output_gradient, arguments.parameter_gradients,
                                bias_gradient, arguments.batch});
  if (arguments.input_gradient != nullptr) {
    retort::backend::for_each_of<L::filter_size * L::output_size>(
        generic.self(), arguments.batch,
        ConvolutionInputGradient<L, Scalar>{arguments.parameters, arguments.output_gradient, arguments.input_gradient});
  }
}

}  // namespace worked_examples
