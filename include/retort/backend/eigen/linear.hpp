// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a Linear on the Eigen backend, each cut into strips of its result that do not depend on the number of
/// threads.

#include <algorithm>
#include <cstddef>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/product.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// The width of the strips into which one extent of a product is cut for the threads: about eight of whole register tiles
/// (48 floats are three AVX-512 registers, the height of Eigen's tile), or one where a layer is too small to be worth a
/// second thread.
constexpr std::size_t strip_width(std::size_t extent, const LinearSizes& sizes) {
  constexpr std::size_t tile = 48;
  return sizes.in * sizes.out < (std::size_t{1} << 17) ? extent : std::max(tile, extent / 8 / tile * tile);
}

/// Calls function(first, count) for each strip.
template <typename Function>
void for_each_strip(const Eigen& backend, std::size_t extent, const LinearSizes& sizes, const Function& function) {
  const std::size_t width = strip_width(extent, sizes);
  backend.for_each((extent + width - 1) / width,
                   [&](std::size_t strip) { function(strip * width, std::min(width, extent - strip * width)); });
}

/// result += left * right on the calling thread, as the function of the same name in product.hpp, by the backend's
/// library of products where it has one.
template <typename Scalar, Order left_order, Order right_order>
void add_product(const Eigen& backend, std::size_t rows, std::size_t columns, std::size_t depth,
                 Operand<Scalar, left_order> left, Operand<Scalar, right_order> right, Scalar* result,
                 std::size_t result_stride) {
  if (const AddProduct<Scalar> add = backend.products().template add<Scalar>(); add != nullptr) {
    add(rows, columns, depth, {left.data, left.stride, left_order}, {right.data, right.stride, right_order}, result,
        result_stride);
  } else {
    add_product(rows, columns, depth, left, right, result, result_stride);
  }
}

}  // namespace detail

/// output (batch, out) = input (batch, in) weight^T (out, in). A batch of one is a matrix-vector product.
template <typename Scalar>
void forward_product(const Eigen& backend, const LinearSizes& sizes, const Scalar* input, const Scalar* weight,
                     Scalar* output) {
  using detail::Operand;
  if (sizes.batch == 1) {
    using Vector = ::Eigen::Matrix<Scalar, ::Eigen::Dynamic, 1>;
    using Weight = ::Eigen::Matrix<Scalar, ::Eigen::Dynamic, ::Eigen::Dynamic, ::Eigen::RowMajor>;
    const auto in = static_cast<::Eigen::Index>(sizes.in);
    const auto out = static_cast<::Eigen::Index>(sizes.out);
    ::Eigen::Map<Vector>(output, out).noalias() =
        ::Eigen::Map<const Weight>(weight, out, in) * ::Eigen::Map<const Vector>(input, in);
    return;
  }
  // In column-major terms: output^T (out, batch) = weight (out, in) input^T (in, batch), cut along out.
  detail::for_each_strip(backend, sizes.out, sizes, [&](std::size_t first, std::size_t count) {
    for (std::size_t sample = 0; sample < sizes.batch; ++sample) {
      std::fill_n(output + sample * sizes.out + first, count, Scalar{0});
    }
    detail::add_product(backend, count, sizes.batch, sizes.in,
                        Operand<Scalar, Order::row_major>{weight + first * sizes.in, sizes.in},
                        Operand<Scalar, Order::column_major>{input, sizes.in}, output + first, sizes.out);
  });
}

/// weight_gradient (out, in) = output_gradient^T (batch, out) input (batch, in).
template <typename Scalar>
void weight_gradient_product(const Eigen& backend, const LinearSizes& sizes, const Scalar* input,
                             const Scalar* output_gradient, Scalar* weight_gradient) {
  using detail::Operand;
  // In column-major terms: weight_gradient^T (in, out) = input^T (in, batch) output_gradient (batch, out), cut along out.
  detail::for_each_strip(backend, sizes.out, sizes, [&](std::size_t first, std::size_t count) {
    std::fill_n(weight_gradient + first * sizes.in, count * sizes.in, Scalar{0});
    detail::add_product(backend, sizes.in, count, sizes.batch, Operand<Scalar, Order::column_major>{input, sizes.in},
                        Operand<Scalar, Order::row_major>{output_gradient + first, sizes.out},
                        weight_gradient + first * sizes.in, sizes.in);
  });
}

/// input_gradient (batch, in) = output_gradient (batch, out) weight (out, in).
template <typename Scalar>
void input_gradient_product(const Eigen& backend, const LinearSizes& sizes, const Scalar* weight,
                            const Scalar* output_gradient, Scalar* input_gradient) {
  using detail::Operand;
  // In column-major terms: input_gradient^T (in, batch) = weight^T (in, out) output_gradient^T (out, batch), cut along in.
  detail::for_each_strip(backend, sizes.in, sizes, [&](std::size_t first, std::size_t count) {
    for (std::size_t sample = 0; sample < sizes.batch; ++sample) {
      std::fill_n(input_gradient + sample * sizes.in + first, count, Scalar{0});
    }
    detail::add_product(
        backend, count, sizes.batch, sizes.out, Operand<Scalar, Order::column_major>{weight + first, sizes.in},
        Operand<Scalar, Order::column_major>{output_gradient, sizes.out}, input_gradient + first, sizes.in);
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
