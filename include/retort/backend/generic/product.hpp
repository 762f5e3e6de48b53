// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a Linear on a host: plain loops over register tiles, each sum in one fixed order. A backend with
/// products of its own (Eigen's, cuBLAS) overloads these functions.

#include <cstddef>

#include "retort/backend/generic/dot_products.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// result (rows, columns) = sum over k of left(row, k) right(k, column), with left's element (row, k) at
/// row * left_row_stride + k * left_depth_stride: one tile of results a call, k after k.
template <typename Scalar>
struct SummedOuterProducts {
  static constexpr std::size_t tile_rows = 4;
  static constexpr std::size_t tile_columns = 16;

  const Scalar* left;
  std::size_t left_row_stride;
  std::size_t left_depth_stride;
  MatrixView<const Scalar> right;  // (depth, columns)
  MatrixView<Scalar> result;       // (rows, columns)

  std::size_t tiles_across() const { return (result.columns + tile_columns - 1) / tile_columns; }
  std::size_t tiles() const { return (result.rows + tile_rows - 1) / tile_rows * tiles_across(); }

  void operator()(std::size_t tile) const {
    const std::size_t first_row = tile / tiles_across() * tile_rows;
    const std::size_t first_column = tile % tiles_across() * tile_columns;
    if (first_column + tile_columns <= result.columns) {
      compute(first_row, first_column, [](std::size_t) { return true; });
    } else {
      compute(first_row, first_column, [&](std::size_t c) { return first_column + c < result.columns; });
    }
  }

  /// `inside(c)`: whether the matrix has column first_column + c.
  template <typename Inside>
  void compute(std::size_t first_row, std::size_t first_column, const Inside& inside) const {
    Scalar sums[tile_rows][tile_columns] = {};
    const Scalar* left_rows[tile_rows];
    for (std::size_t r = 0; r < tile_rows; ++r) {
      left_rows[r] = left + (first_row + r < result.rows ? first_row + r : result.rows - 1) * left_row_stride;
    }
    for (std::size_t k = 0; k < right.rows; ++k) {
      const Scalar* right_row = right.row(k) + first_column;
      for (std::size_t r = 0; r < tile_rows; ++r) {
        const Scalar factor = left_rows[r][k * left_depth_stride];
        for (std::size_t c = 0; c < tile_columns; ++c) {
          if (inside(c)) {
            sums[r][c] += factor * right_row[c];
          }
        }
      }
    }
    for (std::size_t r = 0; r < tile_rows && first_row + r < result.rows; ++r) {
      for (std::size_t c = 0; c < tile_columns && inside(c); ++c) {
        result(first_row + r, first_column + c) = sums[r][c];
      }
    }
  }
};

/// Sums of a strip of columns over the rows, in order.
template <typename Scalar>
struct ColumnSums {
  static constexpr std::size_t width = 64;

  MatrixView<const Scalar> values;
  Scalar* sums;  // (columns)

  void operator()(std::size_t index) const {
    const ColumnStrip<width> strip(values.columns, index);
    Scalar of_columns[width] = {};
    for (std::size_t row = 0; row < values.rows; ++row) {
      for (std::size_t column = 0; column < strip.count; ++column) {
        of_columns[column] += values(row, strip.first + column);
      }
    }
    for (std::size_t column = 0; column < strip.count; ++column) {
      sums[strip.first + column] = of_columns[column];
    }
  }
};

}  // namespace detail

/// output (batch, out) = input (batch, in) weight^T (out, in).
template <typename B, typename Scalar>
  requires(B::host_memory)
void forward_product(const Generic<B>& generic, MatrixView<const Scalar> input, MatrixView<const Scalar> weight,
                     MatrixView<Scalar> output) {
  const detail::RowDotProducts<Scalar> product{input, weight, output};
  detail::for_each(generic.self(), product.tiles(), product);
}

/// weight_gradient (out, in) = output_gradient^T (batch, out) input (batch, in).
template <typename B, typename Scalar>
  requires(B::host_memory)
void weight_gradient_product(const Generic<B>& generic, MatrixView<const Scalar> input,
                             MatrixView<const Scalar> output_gradient, MatrixView<Scalar> weight_gradient) {
  const detail::SummedOuterProducts<Scalar> product{output_gradient.data, 1, output_gradient.stride, input,
                                                    weight_gradient};
  detail::for_each(generic.self(), product.tiles(), product);
}

/// input_gradient (batch, in) = output_gradient (batch, out) weight (out, in).
template <typename B, typename Scalar>
  requires(B::host_memory)
void input_gradient_product(const Generic<B>& generic, MatrixView<const Scalar> weight,
                            MatrixView<const Scalar> output_gradient, MatrixView<Scalar> input_gradient) {
  const detail::SummedOuterProducts<Scalar> product{output_gradient.data, output_gradient.stride, 1, weight,
                                                    input_gradient};
  detail::for_each(generic.self(), product.tiles(), product);
}

/// sums (out) of values (batch, out) over the batch.
template <typename B, typename Scalar>
  requires(B::host_memory)
void column_sums(const Generic<B>& generic, MatrixView<const Scalar> values, Scalar* sums) {
  using Sums = detail::ColumnSums<Scalar>;
  // A call does as much work as a strip of a batch of 64 rows.
  for_each_of<64 * Sums::width>(generic.self(), detail::ColumnStrip<Sums::width>::strips(values.columns),
                                Sums{values, sums});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
