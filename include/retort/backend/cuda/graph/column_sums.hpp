// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A bias's gradient: the gradient of a Linear's output summed over the batch, in an order that depends on shapes
/// alone.

#include <cstddef>

#include "retort/backend/thrust/thrust.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph {

/// Rows that one call adds up.
inline constexpr std::size_t column_sum_rows = 64;

constexpr std::size_t column_sum_pieces(std::size_t rows) { return (rows + column_sum_rows - 1) / column_sum_rows; }

namespace detail {

/// sums(piece, column) = sum of values(row, column) over the rows of the piece.
template <typename T, typename Scalar>
struct ColumnSumOfRows {
  MatrixView<const T> values;
  Scalar* sums;  // (pieces, columns)

  RETORT_HOST_DEVICE void operator()(std::size_t call) const {
    const std::size_t column = call % values.columns;
    const std::size_t begin = call / values.columns * column_sum_rows;
    const std::size_t end = begin + column_sum_rows < values.rows ? begin + column_sum_rows : values.rows;
    Scalar sum = 0;
    for (std::size_t row = begin; row < end; ++row) {
      sum += static_cast<Scalar>(values(row, column));
    }
    sums[call] = sum;
  }
};

}  // namespace detail

/// Elements of scratch that sum_columns needs.
constexpr std::size_t column_sum_scratch_size(std::size_t rows, std::size_t columns) {
  const std::size_t pieces = column_sum_pieces(rows);
  return pieces == 1 ? 0 : pieces * columns + column_sum_scratch_size(pieces, columns);
}

/// sums (columns) = the column sums of values (rows, columns). `scratch` holds column_sum_scratch_size(rows, columns)
/// elements.
template <typename System, typename T, typename Scalar>
void sum_columns(const Thrust<System>& backend, MatrixView<const T> values, Scalar* scratch, Scalar* sums) {
  const std::size_t pieces = column_sum_pieces(values.rows);
  const std::size_t count = pieces * values.columns;
  Scalar* result = pieces == 1 ? sums : scratch;
  backend.for_each(count, detail::ColumnSumOfRows<T, Scalar>{values, result});
  if (pieces > 1) {
    sum_columns(backend, MatrixView<const Scalar>(result, pieces, values.columns), scratch + count, sums);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::graph
