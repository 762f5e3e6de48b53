// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a linear layer, by cuBLAS. All matrices are row-major without gaps and lie in the context's memory.
/// cuBLAS is column-major: a row-major matrix is its transpose there, so each product is asked for transposed.

#include <cublas_v2.h>

#include <concepts>
#include <cstddef>
#include <limits>
#include <source_location>
#include <string>
#include <string_view>

#include "retort/backend/arguments.hpp"
#include "retort/backend/cuda/runtime/context.hpp"
#include "retort/backend/cuda/runtime/device.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda {

namespace detail {

template <typename Scalar>
concept BlasScalar = std::same_as<Scalar, float> || std::same_as<Scalar, double>;

/// Throws ShapeError unless cuBLAS can count so far: from 1 to 2147483647.
inline int blas_size(std::size_t size, std::string_view name) {
  constexpr int most = std::numeric_limits<int>::max();
  if (size < 1 || size > static_cast<std::size_t>(most)) {
    throw ShapeError("cuBLAS: " + std::string{name} + " is " + std::to_string(size) + ", expected 1 to " +
                     std::to_string(most));
  }
  return static_cast<int>(size);
}

struct BlasSizes {
  explicit BlasSizes(const LinearSizes& sizes)
      : batch(blas_size(sizes.batch, "batch")), in(blas_size(sizes.in, "in")), out(blas_size(sizes.out, "out")) {}

  int batch;
  int in;
  int out;
};

/// A column-major matrix, to be read as it is or transposed.
template <typename Scalar>
struct BlasOperand {
  cublasOperation_t operation;
  const Scalar* values;
  int leading;
};

/// result(rows, columns) = alpha left(rows, depth) right(depth, columns) + beta result, column-major.
template <BlasScalar Scalar>
void multiply(CudaContext& context, int rows, int columns, int depth, BlasOperand<Scalar> left,
              BlasOperand<Scalar> right, Scalar* result, Scalar alpha, Scalar beta, std::string_view what,
              const std::source_location& where) {
  const auto entry = context.enter(where);
  if constexpr (std::same_as<Scalar, float>) {
    context.check(cublasSgemm(context.blas(), left.operation, right.operation, rows, columns, depth, &alpha,
                              left.values, left.leading, right.values, right.leading, &beta, result, rows),
                  what, where);
  } else {
    context.check(cublasDgemm(context.blas(), left.operation, right.operation, rows, columns, depth, &alpha,
                              left.values, left.leading, right.values, right.leading, &beta, result, rows),
                  what, where);
  }
}

}  // namespace detail

/// outputs = alpha inputs weights^T + beta outputs; with beta = 0 the former outputs are not read. In the stream.
/// Throws ShapeError for a size out of cuBLAS's range, DeviceError.
template <detail::BlasScalar Scalar>
void forward_product(CudaContext& context, const LinearSizes& sizes,
                     const Scalar* inputs,   // (batch, in)
                     const Scalar* weights,  // (out, in)
                     Scalar* outputs,        // (batch, out)
                     Scalar alpha = 1, Scalar beta = 0,
                     const std::source_location& where = std::source_location::current()) {
  const detail::BlasSizes n(sizes);
  detail::multiply<Scalar>(context, n.out, n.batch, n.in, {CUBLAS_OP_T, weights, n.in}, {CUBLAS_OP_N, inputs, n.in},
                           outputs, alpha, beta, "product of inputs and weights", where);
}

/// weight_gradients = alpha output_gradients^T inputs + beta weight_gradients, otherwise as forward_product.
template <detail::BlasScalar Scalar>
void weight_gradient_product(CudaContext& context, const LinearSizes& sizes,
                             const Scalar* output_gradients,  // (batch, out)
                             const Scalar* inputs,            // (batch, in)
                             Scalar* weight_gradients,        // (out, in)
                             Scalar alpha = 1, Scalar beta = 0,
                             const std::source_location& where = std::source_location::current()) {
  const detail::BlasSizes n(sizes);
  detail::multiply<Scalar>(context, n.in, n.out, n.batch, {CUBLAS_OP_N, inputs, n.in},
                           {CUBLAS_OP_T, output_gradients, n.out}, weight_gradients, alpha, beta,
                           "product of output gradients and inputs", where);
}

/// input_gradients = alpha output_gradients weights + beta input_gradients, otherwise as forward_product.
template <detail::BlasScalar Scalar>
void input_gradient_product(CudaContext& context, const LinearSizes& sizes,
                            const Scalar* output_gradients,  // (batch, out)
                            const Scalar* weights,           // (out, in)
                            Scalar* input_gradients,         // (batch, in)
                            Scalar alpha = 1, Scalar beta = 0,
                            const std::source_location& where = std::source_location::current()) {
  const detail::BlasSizes n(sizes);
  detail::multiply<Scalar>(context, n.in, n.batch, n.out, {CUBLAS_OP_N, weights, n.in},
                           {CUBLAS_OP_N, output_gradients, n.out}, input_gradients, alpha, beta,
                           "product of output gradients and weights", where);
}

/// sums[j] = alpha (sum of values[i][j] over i < rows) + beta sums[j], otherwise as forward_product. Needs `rows` ones,
/// which the context keeps.
template <detail::BlasScalar Scalar>
void column_sums(CudaContext& context, std::size_t rows, std::size_t columns,
                 const Scalar* values,  // (rows, columns)
                 Scalar* sums,          // (columns)
                 Scalar alpha = 1, Scalar beta = 0,
                 const std::source_location& where = std::source_location::current()) {
  const int m = detail::blas_size(columns, "columns");
  const int n = detail::blas_size(rows, "rows");
  const auto entry = context.enter(where);
  const Scalar* ones = context.ones<Scalar>(rows, where);
  if constexpr (std::same_as<Scalar, float>) {
    context.check(cublasSgemv(context.blas(), CUBLAS_OP_N, m, n, &alpha, values, m, ones, 1, &beta, sums, 1),
                  "sums of columns", where);
  } else {
    context.check(cublasDgemv(context.blas(), CUBLAS_OP_N, m, n, &alpha, values, m, ones, 1, &beta, sums, 1),
                  "sums of columns", where);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::cuda
