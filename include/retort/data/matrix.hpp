// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A matrix in memory, for a dataset's features. Plain C++, so that a device compiler takes it too; data/xtensor.hpp
/// shows it to the array library xtensor.

#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// Numbers in rows and columns, which it owns, row by row without gaps. A matrix that was moved from is 0 x 0.
template <typename T>
class Matrix {
  static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, "retort::data::Matrix holds numbers");

 public:
  using value_type = T;

  /// 0 x 0.
  Matrix() = default;

  /// Zeros. Throws ShapeError for extents that no memory could hold, OutOfMemoryError for more than there is.
  explicit Matrix(std::size_t rows, std::size_t columns)
      : rows_(rows), columns_(columns), values_(zeros(rows, columns)) {}

  /// Takes `values`, row by row; does not copy them when moved in. Throws ShapeError unless they are rows * columns.
  explicit Matrix(std::size_t rows, std::size_t columns, std::vector<T> values)
      : rows_(rows), columns_(columns), values_(std::move(values)) {
    if (values_.size() != checked_size(rows, columns)) {
      throw ShapeError(concatenate(
          {"matrix: ", values_.size(), " values, expected ", rows * columns, " for ", text(rows, columns)}));
    }
  }

  /// Takes the rows as written: `Matrix<float>{{1, 2, 3}, {4, 5, 6}}` is 2 x 3. Throws ShapeError for rows of different
  /// length.
  Matrix(std::initializer_list<std::initializer_list<T>> rows)
      : rows_(rows.size()), columns_(rows.size() == 0 ? 0 : rows.begin()->size()) {
    values_.reserve(rows_ * columns_);
    for (const std::initializer_list<T>& row : rows) {
      if (row.size() != columns_) {
        throw ShapeError(concatenate({"matrix: row ", &row - rows.begin(), " has ", row.size(), " values, expected ",
                                      columns_, " as in the first"}));
      }
      values_.insert(values_.end(), row.begin(), row.end());
    }
  }

  Matrix(const Matrix&) = default;
  Matrix& operator=(const Matrix&) = default;
  Matrix(Matrix&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)),
        columns_(std::exchange(other.columns_, 0)),
        values_(std::exchange(other.values_, {})) {}
  Matrix& operator=(Matrix&& other) noexcept {
    rows_ = std::exchange(other.rows_, 0);
    columns_ = std::exchange(other.columns_, 0);
    values_ = std::exchange(other.values_, {});
    return *this;
  }
  ~Matrix() = default;

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }

  /// All values, row by row.
  std::span<T> values() { return values_; }
  std::span<const T> values() const { return values_; }

  /// Precondition: index < rows().
  std::span<T> row(std::size_t index) { return values().subspan(index * columns_, columns_); }
  std::span<const T> row(std::size_t index) const { return values().subspan(index * columns_, columns_); }

  /// Precondition: row < rows(), column < columns().
  T& operator()(std::size_t row, std::size_t column) { return values_[row * columns_ + column]; }
  const T& operator()(std::size_t row, std::size_t column) const { return values_[row * columns_ + column]; }

  /// True for the same extents and equal values.
  friend bool operator==(const Matrix&, const Matrix&) = default;

 private:
  static std::string text(std::size_t rows, std::size_t columns) {
    return detail::extents_text(std::array{rows, columns});
  }

  static std::vector<T> zeros(std::size_t rows, std::size_t columns) {
    const std::size_t size = checked_size(rows, columns);
    try {
      return std::vector<T>(size);
    } catch (const std::bad_alloc&) {
      throw OutOfMemoryError(concatenate({"matrix of ", text(rows, columns)}), size * sizeof(T));
    }
  }

  // Divides instead of multiplying: a product of two hostile extents may wrap around to a small number.
  static std::size_t checked_size(std::size_t rows, std::size_t columns) {
    constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T);
    if (columns != 0 && rows > most / columns) {
      throw ShapeError(concatenate({"matrix: ", text(rows, columns), " is more than any memory can hold"}));
    }
    return rows * columns;
  }

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  std::vector<T> values_;  // (rows, columns)
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
