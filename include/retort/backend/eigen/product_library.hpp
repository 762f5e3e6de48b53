// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Matrix products from outside of the library, which backend::Eigen can be given in place of Eigen's: `ProductLibrary`
/// names the functions. cblas.hpp makes one of a BLAS.

#include <cstddef>
#include <string>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// What lies side by side in memory: the elements of a row, or those of a column.
enum class Order { row_major, column_major };

/// A matrix in memory that is read: `stride` elements between the beginnings of its rows (row_major) or columns
/// (column_major).
template <typename Scalar>
struct MatrixOperand {
  const Scalar* data;
  std::size_t stride;
  Order order;
};

/// result += left * right, with left (rows, depth), right (depth, columns) and result (rows, columns), which is
/// column-major with `result_stride` elements between the beginnings of its columns. No extent is 0, and none of the
/// three overlaps another. Writes nothing between the columns.
template <typename Scalar>
using AddProduct = void (*)(std::size_t rows, std::size_t columns, std::size_t depth, MatrixOperand<Scalar> left,
                            MatrixOperand<Scalar> right, Scalar* result, std::size_t result_stride);

/// The functions that backend::Eigen calls for the products of Linear where it computes a model operation by operation.
/// They are called from several of the backend's threads at once and must compute on the calling thread alone. That
/// results repeat, and do not depend on the number of threads, holds as far as equal arguments give equal bits. Those
/// that are null are Eigen's.
struct ProductLibrary {
  std::string name = {};  ///< for Eigen::describe()
  AddProduct<float> add_float = nullptr;
  AddProduct<double> add_double = nullptr;

  template <typename Scalar>
  AddProduct<Scalar> add() const {
    if constexpr (std::is_same_v<Scalar, float>) {
      return add_float;
    } else {
      static_assert(std::is_same_v<Scalar, double>);
      return add_double;
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
