// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Matrix products from another library, which backend::Eigen uses in place of Eigen's: `ProductLibrary` names the
/// functions. cblas.hpp makes one of a BLAS.

#include <string>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// Whether a product takes a matrix as it is or its transpose.
enum class Transpose { no, yes };

/// A factor of a product: a matrix in memory, or its transpose.
template <typename Scalar>
struct MatrixOperand {
  MatrixView<const Scalar> matrix;
  Transpose transpose;
};

/// result += left * right, with left (rows, depth), right (depth, columns) and result (rows, columns). No extent is 0,
/// and none of the three overlaps another. Writes nothing between the rows.
template <typename Scalar>
using AddProduct = void (*)(MatrixOperand<Scalar> left, MatrixOperand<Scalar> right, MatrixView<Scalar> result);

/// The functions that backend::Eigen calls for the products of Linear where it computes a model by single operations.
/// Several of the backend's threads call them at once; they must compute on the calling thread alone. Results repeat,
/// and do not depend on the number of threads, if equal arguments give equal bits. Null stands for Eigen's product.
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
