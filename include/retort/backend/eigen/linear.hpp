// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a Linear on the Eigen backend, each cut into strips of its result that do not depend on the number
/// of threads.

#include <algorithm>
#include <cstddef>

#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/product.hpp"
#include "retort/backend/eigen/product_library.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// The width of the strips into which a product is cut for the threads along one extent: about eight strips of whole
/// register tiles (48 floats are three AVX-512 registers, the height of Eigen's tile), or one where a layer of that
/// many weights is too small to be worth a second thread.
constexpr std::size_t strip_width(std::size_t extent, std::size_t weights) {
  constexpr std::size_t tile = 48;
  return weights < (std::size_t{1} << 17) ? extent : std::max(tile, extent / 8 / tile * tile);
}

/// Calls function(first, count) for each strip.
template <typename Function>
void for_each_strip(const Eigen& backend, std::size_t extent, std::size_t weights, const Function& function) {
  for_each_piece(backend, extent, strip_width(extent, weights), function);
}

/// result = left * right on the calling thread, by the backend's library of products where it has one.
template <Transpose left_transpose, Transpose right_transpose, typename Scalar>
void multiply(const Eigen& backend, MatrixView<const Scalar> left, MatrixView<const Scalar> right,
              MatrixView<Scalar> result) {
  if (result.stride == result.columns) {
    std::fill_n(result.data, result.rows * result.columns, Scalar{0});
  } else {
    const volatile Scalar zero = 0;  // hides 0 from the compiler, which would call memset for each row, however short
    const Scalar value = zero;
    for (std::size_t row = 0; row < result.rows; ++row) {
      std::fill_n(result.row(row), result.columns, value);
    }
  }
  if (const AddProduct<Scalar> add = backend.products().template add<Scalar>(); add != nullptr) {
    add({left, left_transpose}, {right, right_transpose}, result);
  } else {
    add_product<left_transpose, right_transpose>(left, right, result);
  }
}

}  // namespace detail

/// output (batch, out) = input (batch, in) weight^T (out, in), cut along out. A batch of one is a matrix-vector
/// product.
template <typename Scalar>
void forward_product(const Eigen& backend, MatrixView<const Scalar> input, MatrixView<const Scalar> weight,
                     MatrixView<Scalar> output) {
  if (input.rows == 1) {
    using Vector = ::Eigen::Matrix<Scalar, ::Eigen::Dynamic, 1>;
    using Weight = ::Eigen::Matrix<Scalar, ::Eigen::Dynamic, ::Eigen::Dynamic, ::Eigen::RowMajor>;
    const auto in = static_cast<::Eigen::Index>(weight.columns);
    const auto out = static_cast<::Eigen::Index>(weight.rows);
    const ::Eigen::OuterStride<> stride(static_cast<::Eigen::Index>(weight.stride));
    ::Eigen::Map<Vector>(output.data, out).noalias() =
        ::Eigen::Map<const Weight, 0, ::Eigen::OuterStride<>>(weight.data, out, in, stride) *
        ::Eigen::Map<const Vector>(input.data, in);
    return;
  }
  detail::for_each_strip(backend, weight.rows, weight.rows * weight.columns, [&](std::size_t first, std::size_t count) {
    detail::multiply<Transpose::no, Transpose::yes>(backend, input, weight.rows_from(first, count),
                                                    output.columns_from(first, count));
  });
}

/// weight_gradient (out, in) = output_gradient^T (batch, out) input (batch, in), cut along out.
template <typename Scalar>
void weight_gradient_product(const Eigen& backend, MatrixView<const Scalar> input,
                             MatrixView<const Scalar> output_gradient, MatrixView<Scalar> weight_gradient) {
  const std::size_t weights = weight_gradient.rows * weight_gradient.columns;
  detail::for_each_strip(backend, weight_gradient.rows, weights, [&](std::size_t first, std::size_t count) {
    detail::multiply<Transpose::yes, Transpose::no>(backend, output_gradient.columns_from(first, count), input,
                                                    weight_gradient.rows_from(first, count));
  });
}

/// input_gradient (batch, in) = output_gradient (batch, out) weight (out, in), cut along in.
template <typename Scalar>
void input_gradient_product(const Eigen& backend, MatrixView<const Scalar> weight,
                            MatrixView<const Scalar> output_gradient, MatrixView<Scalar> input_gradient) {
  detail::for_each_strip(
      backend, weight.columns, weight.rows * weight.columns, [&](std::size_t first, std::size_t count) {
        detail::multiply<Transpose::no, Transpose::no>(backend, output_gradient, weight.columns_from(first, count),
                                                       input_gradient.columns_from(first, count));
      });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
