// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A layer whose samples have axes, and its operation for every backend derived from Generic: the worked example of
/// CONTRIBUTING.md.

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

/// The largest of each 2 x 2 pixels of each channel: torch.nn.MaxPool2d(2).
template <std::size_t Channels, std::size_t Rows, std::size_t Columns>
struct MaxPool {
  static_assert(Rows % 2 == 0 && Columns % 2 == 0, "a MaxPool halves even extents");
  using input_shape = retort::Shape<Channels, Rows, Columns>;
  using output_shape = retort::Shape<Channels, Rows / 2, Columns / 2>;

  static constexpr std::string_view name = "MaxPool";
  static constexpr std::size_t input_size = input_shape::size;
  static constexpr std::size_t output_size = output_shape::size;
  static constexpr std::size_t flops = 0;
  static constexpr std::array<retort::TensorSpec, 0> parameters{};
  static constexpr std::array<retort::TensorSpec, 0> buffers{};

  static std::string describe() { return retort::concatenate({"MaxPool(", Channels, "x", Rows, "x", Columns, ")"}); }

  /// The first of the four inputs of element `output` of a batch (samples behind one another are more channels).
  RETORT_HOST_DEVICE static constexpr std::size_t first_input(std::size_t output) {
    const std::size_t row = output / (Columns / 2);
    return 2 * row * Columns + output % (Columns / 2) * 2;
  }

  /// Which of the four inputs from `x` on is the largest, the first of equals.
  template <typename Scalar>
  RETORT_HOST_DEVICE static std::size_t largest(const Scalar* x) {
    std::size_t found = 0;
    for (std::size_t other = 1; other < 4; ++other) {
      found = x[place(other)] > x[place(found)] ? other : found;
    }
    return found;
  }

  /// Where input `index` of the four lies, counted from the first.
  RETORT_HOST_DEVICE static constexpr std::size_t place(std::size_t index) { return index / 2 * Columns + index % 2; }
};

// The operation.

template <typename L, typename Scalar>
struct LargestPixel {
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const Scalar* x = input + L::first_input(element);
    output[element] = x[L::place(L::largest(x))];
  }
};

template <typename L, typename Scalar>
struct LargestPixelGradient {
  const Scalar* input;
  const Scalar* output_gradient;
  Scalar* input_gradient;

  RETORT_HOST_DEVICE void operator()(std::size_t element) const {
    const std::size_t first = L::first_input(element);
    const std::size_t largest = L::largest(input + first);
    for (std::size_t index = 0; index < 4; ++index) {
      input_gradient[first + L::place(index)] = index == largest ? output_gradient[element] : Scalar{0};
    }
  }
};

template <typename B, std::size_t Channels, std::size_t Rows, std::size_t Columns, typename Scalar>
void infer(const retort::backend::Generic<B>& generic, MaxPool<Channels, Rows, Columns>,
           retort::backend::Width<Channels * Rows * Columns>,
           const retort::backend::InferArguments<Scalar>& arguments) {
  using L = MaxPool<Channels, Rows, Columns>;
  retort::backend::for_each_of(generic.self(), arguments.batch * L::output_size,
                               LargestPixel<L, Scalar>{arguments.input, arguments.output});
}

template <typename B, std::size_t Channels, std::size_t Rows, std::size_t Columns, typename Scalar>
void forward(const retort::backend::Generic<B>& generic, MaxPool<Channels, Rows, Columns> layer,
             retort::backend::Width<Channels * Rows * Columns> width,
             const retort::backend::ForwardArguments<Scalar>& arguments) {
  infer(generic, layer, width, arguments.inference());
}

template <typename B, std::size_t Channels, std::size_t Rows, std::size_t Columns, typename Scalar>
void backward(const retort::backend::Generic<B>& generic, MaxPool<Channels, Rows, Columns>,
              retort::backend::Width<Channels * Rows * Columns>,
              const retort::backend::BackwardArguments<Scalar>& arguments) {
  using L = MaxPool<Channels, Rows, Columns>;
  if (arguments.input_gradient != nullptr) {
    retort::backend::for_each_of(
        generic.self(), arguments.batch * L::output_size,
        LargestPixelGradient<L, Scalar>{arguments.input, arguments.output_gradient, arguments.input_gradient});
  }
}

}  // namespace worked_examples
