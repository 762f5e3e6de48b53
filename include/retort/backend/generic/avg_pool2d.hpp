// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// AvgPool2d: a row of outputs a call on a host, an output a call on a device. Each input belongs to one output, so the
/// backward pass adds nothing up.

#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/square_means.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/avg_pool2d.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

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
