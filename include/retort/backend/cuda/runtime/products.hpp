// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a linear layer, by cuBLAS. All matrices lie in the context's memory.

#include <cublas_v2.h>

#include <concepts>
#include <cstddef>
#include <limits>
#include <source_location>
#include <string>
#include <string_view>

#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

namespace detail {

template <typename Scalar>
concept BlasScalar = std::same_as<Scalar, float> || std::same_as<Scalar, double>;

/// Throws ShapeError unless cuBLAS can count that far: from 1 to 2147483647.
inline int blas_size(std::size_t size, std::string_view name) {
  constexpr int most = std::numeric_limits<int>::max();
  if (size < 1 || size > static_cast<std::size_t>(most)) {
    throw ShapeError("cuBLAS: " + std::string{name} + " is " + std::to_string(size) + ", expected 1 to " +
                     std::to_string(most));
  }
  return static_cast<int>(size);
}

/// A row-major matrix, to be read as it is or transposed.
template <BlasScalar Scalar>
struct BlasFactor {
  cublasOperation_t operation;
  MatrixView<const Scalar> matrix;
};

/// What errors call the sizes of result (rows, columns), the sum's `depth`, and the product.
struct ProductNames {
  std::string_view rows;
  std::string_view columns;
  std::string_view depth;
  std::string_view product;
};

/// result = left right. cuBLAS is column-major: a row-major matrix is its transpose there, so it computes
/// result^T = right^T left^T.
template <BlasScalar Scalar>
void multiply(CudaContext& context, const BlasFactor<Scalar>& left, const BlasFactor<Scalar>& right,
              const MatrixView<Scalar>& result, const ProductNames& names, const std::source_location& where) {
  const int rows = blas_size(result.rows, names.rows);
  const int depth = blas_size(left.operation == CUBLAS_OP_N ? left.matrix.columns : left.matrix.rows, names.depth);
  const int columns = blas_size(result.columns, names.columns);
  const auto gap = [](std::size_t stride) { return blas_size(stride, "distance of rows"); };
  const Scalar alpha = 1;
  const Scalar beta = 0;  // what is in `result` is not read
  const auto call = [&](auto gemm) {
    context.check(gemm(context.blas(), right.operation, left.operation, columns, rows, depth, &alpha, right.matrix.data,
                       gap(right.matrix.stride), left.matrix.data, gap(left.matrix.stride), &beta, result.data,
                       gap(result.stride)),
                  names.product, where);
  };
  const auto entry = context.enter(where);
  if constexpr (std::same_as<Scalar, float>) {
    call(cublasSgemm);
  } else {
    call(cublasDgemm);
  }
}

}  // namespace detail

/// output (batch, out) = input (batch, in) weight^T (out, in), in the stream. Throws ShapeError for a size out of
/// cuBLAS's range, DeviceError.
template <detail::BlasScalar Scalar>
void forward_product(CudaContext& context, MatrixView<const Scalar> input, MatrixView<const Scalar> weight,
                     MatrixView<Scalar> output, const std::source_location& where = std::source_location::current()) {
  detail::multiply<Scalar>(context, {CUBLAS_OP_N, input}, {CUBLAS_OP_T, weight}, output,
                           {"batch", "out", "in", "product of inputs and weights"}, where);
}

/// weight_gradient (out, in) = output_gradient^T (batch, out) input (batch, in), otherwise as forward_product.
template <detail::BlasScalar Scalar>
void weight_gradient_product(CudaContext& context, MatrixView<const Scalar> input,
                             MatrixView<const Scalar> output_gradient, MatrixView<Scalar> weight_gradient,
                             const std::source_location& where = std::source_location::current()) {
  detail::multiply<Scalar>(context, {CUBLAS_OP_T, output_gradient}, {CUBLAS_OP_N, input}, weight_gradient,
                           {"out", "in", "batch", "product of output gradients and inputs"}, where);
}

/// input_gradient (batch, in) = output_gradient (batch, out) weight (out, in), otherwise as forward_product.
template <detail::BlasScalar Scalar>
void input_gradient_product(CudaContext& context, MatrixView<const Scalar> weight,
                            MatrixView<const Scalar> output_gradient, MatrixView<Scalar> input_gradient,
                            const std::source_location& where = std::source_location::current()) {
  detail::multiply<Scalar>(context, {CUBLAS_OP_N, output_gradient}, {CUBLAS_OP_N, weight}, input_gradient,
                           {"batch", "in", "out", "product of output gradients and weights"}, where);
}

/// sums (columns) = the column sums of values (rows, columns), otherwise as forward_product. Needs `rows` ones, which
/// the context keeps.
template <detail::BlasScalar Scalar>
void column_sums(CudaContext& context, MatrixView<const Scalar> values, Scalar* sums,
                 const std::source_location& where = std::source_location::current()) {
  const int columns = detail::blas_size(values.columns, "columns");
  const int rows = detail::blas_size(values.rows, "rows");
  const auto entry = context.enter(where);
  const Scalar* ones = context.ones<Scalar>(values.rows, where);
  const Scalar alpha = 1;
  const Scalar beta = 0;
  const auto call = [&](auto gemv) {
    context.check(gemv(context.blas(), CUBLAS_OP_N, columns, rows, &alpha, values.data,
                       detail::blas_size(values.stride, "distance of rows"), ones, 1, &beta, sums, 1),
                  "sums of columns", where);
  };
  if constexpr (std::same_as<Scalar, float>) {
    call(cublasSgemv);
  } else {
    call(cublasDgemv);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
