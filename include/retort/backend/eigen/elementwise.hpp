#pragma once
/// @file
/// Elementwise layers on the Eigen backend: the layer's scalar function over flat memory, through Eigen's vectorised
/// functions where the layer's formula takes arrays.

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/nn/layer.hpp"

namespace retort::backend {

namespace detail {

template <typename Scalar>
using Array = ::Eigen::Map<::Eigen::Array<Scalar, ::Eigen::Dynamic, 1>>;
template <typename Scalar>
using ConstArray = ::Eigen::Map<const ::Eigen::Array<Scalar, ::Eigen::Dynamic, 1>>;

/// Elements of one piece of work on flat memory: a multiple of every SIMD width, large enough to be worth a second
/// thread.
inline constexpr std::size_t flat_chunk = 16384;

/// Calls function(begin, count) over [0, size) in pieces that do not depend on the number of threads.
template <typename Function>
void for_each_flat_chunk(const Eigen& backend, std::size_t size, const Function& function) {
  backend.pool().for_each_chunk((size + flat_chunk - 1) / flat_chunk, [&](std::size_t chunk) {
    const std::size_t begin = chunk * flat_chunk;
    function(begin, std::min(flat_chunk, size - begin));
  });
}

template <typename L, typename Scalar>
void elementwise_values(const Scalar* input, Scalar* output, std::size_t count) {
  using Input = ConstArray<Scalar>;
  const auto size = static_cast<::Eigen::Index>(count);
  if constexpr (ArrayElementwiseLayer<L>) {
    Array<Scalar>(output, size) = L::value(Input(input, size));
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      output[i] = static_cast<Scalar>(L::value(input[i]));
    }
  }
}

template <typename L, typename Scalar>
void elementwise_gradients(const Scalar* input, const Scalar* output, const Scalar* output_gradient,
                           Scalar* input_gradient, std::size_t count) {
  using Input = ConstArray<Scalar>;
  const auto size = static_cast<::Eigen::Index>(count);
  if constexpr (ArrayElementwiseLayer<L>) {
    Array<Scalar>(input_gradient, size) =
        Input(output_gradient, size) * L::derivative(Input(input, size), Input(output, size));
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      input_gradient[i] = output_gradient[i] * static_cast<Scalar>(L::derivative(input[i], output[i]));
    }
  }
}

}  // namespace detail

template <typename Scalar, ElementwiseLayer L, std::size_t N>
void infer(const Eigen&, L, Width<N>, const InferArguments<Scalar>& arguments) {
  detail::elementwise_values<L>(arguments.input, arguments.output, arguments.batch * N);
}

template <typename Scalar, ElementwiseLayer L, std::size_t N>
void forward(const Eigen& backend, L, Width<N>, const ForwardArguments<Scalar>& arguments) {
  detail::for_each_flat_chunk(backend, arguments.batch * N, [&](std::size_t begin, std::size_t count) {
    detail::elementwise_values<L>(arguments.input + begin, arguments.output + begin, count);
  });
}

template <typename Scalar, ElementwiseLayer L, std::size_t N>
void backward(const Eigen& backend, L, Width<N>, const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  detail::for_each_flat_chunk(backend, arguments.batch * N, [&](std::size_t begin, std::size_t count) {
    detail::elementwise_gradients<L>(arguments.input + begin, arguments.output + begin,
                                     arguments.output_gradient + begin, arguments.input_gradient + begin, count);
  });
}

}  // namespace retort::backend
