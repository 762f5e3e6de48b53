// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The product of a Linear outside of training and in the forward pass, on a host.

#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// left (rows, depth) times the transpose of right (columns, depth): dot products of rows, a tile of results a call.
/// Sums run in `lanes` strands, which a compiler can keep in a SIMD register: the tile's size does not change them.
template <typename Scalar, std::size_t TileRows = 2, std::size_t TileColumns = 4>
struct RowDotProducts {
  static constexpr std::size_t tile_rows = TileRows;
  static constexpr std::size_t tile_columns = TileColumns;
  static constexpr std::size_t lanes = 8;

  MatrixView<const Scalar> left;
  MatrixView<const Scalar> right;
  MatrixView<Scalar> result;

  std::size_t tiles_across() const { return (result.columns + tile_columns - 1) / tile_columns; }
  std::size_t tiles() const { return (result.rows + tile_rows - 1) / tile_rows * tiles_across(); }

  void operator()(std::size_t tile) const {
    const std::size_t first_row = tile / tiles_across() * tile_rows;
    const std::size_t first_column = tile % tiles_across() * tile_columns;
    const Scalar* left_rows[tile_rows];
    const Scalar* right_rows[tile_columns];
    // Beyond the edge the last row is multiplied again, and not stored.
    for (std::size_t r = 0; r < tile_rows; ++r) {
      left_rows[r] = left.row(first_row + r < left.rows ? first_row + r : left.rows - 1);
    }
    for (std::size_t c = 0; c < tile_columns; ++c) {
      right_rows[c] = right.row(first_column + c < right.rows ? first_column + c : right.rows - 1);
    }
    Scalar sums[tile_rows][tile_columns][lanes] = {};
    const std::size_t depth = left.columns;
    const std::size_t whole = depth / lanes * lanes;
    for (std::size_t k = 0; k < whole; k += lanes) {
      for (std::size_t r = 0; r < tile_rows; ++r) {
        for (std::size_t c = 0; c < tile_columns; ++c) {
          for (std::size_t lane = 0; lane < lanes; ++lane) {
            sums[r][c][lane] += left_rows[r][k + lane] * right_rows[c][k + lane];
          }
        }
      }
    }
    for (std::size_t r = 0; r < tile_rows && first_row + r < result.rows; ++r) {
      for (std::size_t c = 0; c < tile_columns && first_column + c < result.columns; ++c) {
        Scalar sum = 0;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          sum += sums[r][c][lane];
        }
        for (std::size_t rest = whole; rest < depth; ++rest) {
          sum += left_rows[r][rest] * right_rows[c][rest];
        }
        result(first_row + r, first_column + c) = sum;
      }
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail
