#pragma once
/// @file
/// Dropout on the Eigen backend: the mask is drawn anew in the backward pass instead of being stored.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/elementwise.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/dropout.hpp"

namespace retort::backend {

namespace detail {

/// output[i] = input[i] * scale, or 0 where the word of element begin + i is below the layer's threshold.
/// Precondition: begin is a multiple of 4.
template <DropoutLayer L, typename Scalar>
void drop(const RandomStream& random, const Scalar* input, Scalar* output, std::size_t begin, std::size_t count) {
  // Words for 16 blocks of 4 elements at a time, which the compiler can draw in SIMD registers.
  constexpr std::size_t blocks = 16;
  constexpr auto scale = static_cast<Scalar>(L::scale);
  std::array<std::uint32_t, 4 * blocks> words;
  for (std::size_t done = 0; done < count; done += 4 * blocks) {
    random.template fill_blocks<blocks>((begin + done) / 4, words);
    const std::size_t size = std::min(4 * blocks, count - done);
    for (std::size_t i = 0; i < size; ++i) {
      output[done + i] = words[i] < L::threshold ? Scalar{0} : input[done + i] * scale;
    }
  }
}

}  // namespace detail

template <typename Scalar, DropoutLayer L, std::size_t N>
void infer(const Eigen&, L, Width<N>, const InferArguments<Scalar>& arguments) {
  if (arguments.input != arguments.output) {
    std::copy_n(arguments.input, arguments.batch * N, arguments.output);
  }
}

template <typename Scalar, DropoutLayer L, std::size_t N>
void forward(const Eigen& backend, L, Width<N>, const ForwardArguments<Scalar>& arguments) {
  const RandomStream random = arguments.random.stream(Stream::dropout);
  detail::for_each_flat_chunk(backend, arguments.batch * N, [&](std::size_t begin, std::size_t count) {
    detail::drop<L>(random, arguments.input + begin, arguments.output + begin, begin, count);
  });
}

template <typename Scalar, DropoutLayer L, std::size_t N>
void backward(const Eigen& backend, L, Width<N>, const BackwardArguments<Scalar>& arguments) {
  if (arguments.input_gradient == nullptr) {
    return;
  }
  const RandomStream random = arguments.random.stream(Stream::dropout);
  detail::for_each_flat_chunk(backend, arguments.batch * N, [&](std::size_t begin, std::size_t count) {
    detail::drop<L>(random, arguments.output_gradient + begin, arguments.input_gradient + begin, begin, count);
  });
}

}  // namespace retort::backend
