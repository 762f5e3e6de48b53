// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A matrix in memory that it does not own, for products and passes.

#include <cstddef>
#include <type_traits>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// `rows` rows of `columns` elements. The elements of a row are side by side; neighbouring rows begin `stride` elements
/// apart. It owns nothing: the memory, of a host or a device, outlives it. Elements are read and written only where
/// that memory is.
template <typename T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  constexpr MatrixView() = default;

  /// Without gaps between the rows.
  RETORT_HOST_DEVICE constexpr MatrixView(T* first, std::size_t row_count, std::size_t column_count)
      : MatrixView(first, row_count, column_count, column_count) {}

  RETORT_HOST_DEVICE constexpr MatrixView(T* first, std::size_t row_count, std::size_t column_count,
                                          std::size_t between_rows)
      : data(first), rows(row_count), columns(column_count), stride(between_rows) {}

  /// The same matrix, read only.
  template <typename U>
    requires std::is_same_v<T, const U>
  RETORT_HOST_DEVICE constexpr MatrixView(const MatrixView<U>& other)  // NOLINT(google-explicit-constructor)
      : MatrixView(other.data, other.rows, other.columns, other.stride) {}

  /// Precondition: index <= rows.
  RETORT_HOST_DEVICE constexpr T* row(std::size_t index) const { return data + index * stride; }

  /// Precondition: row_index < rows, column < columns.
  RETORT_HOST_DEVICE constexpr T& operator()(std::size_t row_index, std::size_t column) const {
    return data[row_index * stride + column];
  }

  /// `count` rows from `first` on.
  RETORT_HOST_DEVICE constexpr MatrixView rows_from(std::size_t first, std::size_t count) const {
    return {row(first), count, columns, stride};
  }

  /// `count` columns from `first` on.
  RETORT_HOST_DEVICE constexpr MatrixView columns_from(std::size_t first, std::size_t count) const {
    return {data + first, rows, count, stride};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
