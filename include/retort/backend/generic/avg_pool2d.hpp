// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// AvgPool2d: a row of outputs a call on a host, an output a call on a device. Each input belongs to one output, so the
/// backward pass adds nothing up.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/avg_pool2d.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// The squares of a batch's images, row after row; a call takes a run of `Run` neighbours.
template <typename L, std::size_t Run>
struct SquareRuns {
  static constexpr std::size_t run = Run;
  static constexpr std::size_t side = L::square;
  static constexpr std::size_t area = side * side;
  static constexpr std::size_t squares_in_a_row = L::columns / side;

  /// The first element of the run that begins with `square`. An image is whole rows of squares, so the next one goes on
  /// where it ends.
  RETORT_HOST_DEVICE static constexpr std::size_t first_element(std::size_t square) {
    return square / squares_in_a_row * side * L::columns + square % squares_in_a_row * side;
  }

  /// Calls function(element) for the elements of a run's square `index`, row after row, counted from the run's first.
  template <typename Function>
  RETORT_HOST_DEVICE static void for_each_element(std::size_t index, const Function& function) {
    for (std::size_t row = 0; row < side; ++row) {
      for (std::size_t column = 0; column < side; ++column) {
        function(row * L::columns + index * side + column);
      }
    }
  }
};

template <typename Squares, typename Scalar>
struct SquareMeans {
  const Scalar* input;
  Scalar* output;

  RETORT_HOST_DEVICE void operator()(std::size_t index) const {
    const std::size_t first = index * Squares::run;
    const Scalar* x = input + Squares::first_element(first);
    for (std::size_t i = 0; i < Squares::run; ++i) {
      Scalar sum = 0;
      Squares::for_each_element(i, [&](std::size_t element) { sum += x[element]; });
      output[first + i] = sum / static_cast<Scalar>(Squares::area);
    }
  }
};

template <typename Squares, typename Scalar>
struct SquareMeanGradients {
  const Scalar* output_gradient;
  Scalar* input_gradient;

  RETORT_HOST_DEVICE void operator()(std::size_t index) const {
    const std::size_t first = index * Squares::run;
    Scalar* dx = input_gradient + Squares::first_element(first);
    for (std::size_t i = 0; i < Squares::run; ++i) {
      const Scalar share = output_gradient[first + i] / static_cast<Scalar>(Squares::area);
      Squares::for_each_element(i, [&](std::size_t element) { dx[element] = share; });
    }
  }
};

template <typename B, typename L>
using SquareRunsOn = SquareRuns<L, B::host_memory ? L::columns / L::square : 1>;

/// Calls function(index) for all runs of squares in a batch.
template <typename Squares, typename B, typename Function>
void for_each_run(const B& backend, std::size_t squares, const Function& function) {
  for_each_of<Squares::run * Squares::area>(backend, squares / Squares::run, function);
}

}  // namespace detail

template <typename B, typename Scalar, typename Input, std::size_t K>
void infer(const Generic<B>& generic, AvgPool2d<Input, K>, Width<Input::size>,
           const InferArguments<Scalar>& arguments) {
  using L = AvgPool2d<Input, K>;
  using Squares = detail::SquareRunsOn<B, L>;
  detail::for_each_run<Squares>(generic.self(), arguments.batch * L::output_size,
                                detail::SquareMeans<Squares, Scalar>{arguments.input, arguments.output});
}

template <typename B, typename Scalar, typename Input, std::size_t K>
void forward(const Generic<B>& generic, AvgPool2d<Input, K> layer, Width<Input::size> width,
             const ForwardArguments<Scalar>& arguments) {
  infer(generic, layer, width, arguments.inference());
}

template <typename B, typename Scalar, typename Input, std::size_t K>
void backward(const Generic<B>& generic, AvgPool2d<Input, K>, Width<Input::size>,
              const BackwardArguments<Scalar>& arguments) {
  using L = AvgPool2d<Input, K>;
  using Squares = detail::SquareRunsOn<B, L>;
  if (arguments.input_gradient != nullptr) {
    detail::for_each_run<Squares>(
        generic.self(), arguments.batch * L::output_size,
        detail::SquareMeanGradients<Squares, Scalar>{arguments.output_gradient, arguments.input_gradient});
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
