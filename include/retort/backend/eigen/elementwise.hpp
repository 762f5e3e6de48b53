#pragma once
/// @file
/// Elementwise layers on the Eigen backend: the layer's scalar function over flat memory, through Eigen's vectorised
/// functions where the layer's formula takes arrays.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/core/aligned_buffer.hpp"
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

/// Elements that an array formula takes at a time. Their number is fixed, so that each element goes through the same
/// SIMD instructions wherever it lies: an exponential of Eigen's and one of the standard library differ in the last
/// bit.
inline constexpr std::size_t array_block = 64;
template <typename Scalar>
using BlockArray = ::Eigen::Map<::Eigen::Array<Scalar, static_cast<int>(array_block), 1>>;
template <typename Scalar>
using ConstBlockArray = ::Eigen::Map<const ::Eigen::Array<Scalar, static_cast<int>(array_block), 1>>;

/// The last elements of a span, fewer than a block, followed by zeros.
template <typename Scalar>
struct PaddedBlock {
  alignas(arena_alignment) std::array<Scalar, array_block> values{};

  PaddedBlock() = default;
  PaddedBlock(const Scalar* source, std::size_t count) { std::copy_n(source, count, values.begin()); }
};

template <typename L, typename Scalar>
void elementwise_values(const Scalar* input, Scalar* output, std::size_t count) {
  if constexpr (ArrayElementwiseLayer<L>) {
    std::size_t done = 0;
    for (; done + array_block <= count; done += array_block) {
      BlockArray<Scalar>(output + done) = L::value(ConstBlockArray<Scalar>(input + done));
    }
    const PaddedBlock<Scalar> x(input + done, count - done);
    PaddedBlock<Scalar> y;
    BlockArray<Scalar>(y.values.data()) = L::value(ConstBlockArray<Scalar>(x.values.data()));
    std::copy_n(y.values.begin(), count - done, output + done);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      output[i] = static_cast<Scalar>(L::value(input[i]));
    }
  }
}

template <typename L, typename Scalar>
void elementwise_gradients(const Scalar* input, const Scalar* output, const Scalar* output_gradient,
                           Scalar* input_gradient, std::size_t count) {
  if constexpr (ArrayElementwiseLayer<L>) {
    using Block = ConstBlockArray<Scalar>;
    std::size_t done = 0;
    for (; done + array_block <= count; done += array_block) {
      BlockArray<Scalar>(input_gradient + done) =
          Block(output_gradient + done) * L::derivative(Block(input + done), Block(output + done));
    }
    const std::size_t rest = count - done;
    const PaddedBlock<Scalar> x(input + done, rest);
    const PaddedBlock<Scalar> y(output + done, rest);
    const PaddedBlock<Scalar> dy(output_gradient + done, rest);
    PaddedBlock<Scalar> dx;
    BlockArray<Scalar>(dx.values.data()) =
        Block(dy.values.data()) * L::derivative(Block(x.values.data()), Block(y.values.data()));
    std::copy_n(dx.values.begin(), rest, input_gradient + done);
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
