// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The bridge to xtensor, the library of N-dimensional arrays: its containers, views and adaptors wherever the
/// installed version keeps them (version 0.26 moved its headers into folders), and conversions between them and a
/// dataset. The library itself uses only arrays of fixed rank (xt::xtensor): xt::xarray of version 0.24 is ambiguous to
/// clang 19 and newer. retort.hpp leaves this header out, since xtensor costs a compiler a second; and no file that
/// nvcc compiles should include it.
///
///     xt::xtensor<float, 3> images = ...;        // (samples, rows, columns)
///     xt::xtensor<int, 1> classes = ...;         // (samples)
///     const retort::data::Dataset dataset{retort::data::to_matrix(images), retort::data::to_labels(classes), 10,
///                                         {images.shape(1), images.shape(2)}};
///     const auto labels = retort::data::as_xtensor(dataset.labels());  // no copy

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/aligned_buffer.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/save_npy.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The matrix as an xtensor adaptor, (rows, columns), without a copy: valid while the matrix lives and is neither moved
/// from nor assigned to. Writing to it writes to the matrix.
template <typename T>
auto as_xtensor(Matrix<T>& matrix) {
  return xt::adapt(matrix.data(), matrix.values().size(), xt::no_ownership(),
                   std::array{matrix.rows(), matrix.columns()});
}

/// The same, read only.
template <typename T>
auto as_xtensor(const Matrix<T>& matrix) {
  return xt::adapt(matrix.data(), matrix.values().size(), xt::no_ownership(),
                   std::array{matrix.rows(), matrix.columns()});
}

/// The labels as an xtensor adaptor, (samples), read only, without a copy: valid while the labels live and are not
/// changed.
inline auto as_xtensor(const Labels& labels) {
  return xt::adapt(labels.data(), labels.size(), xt::no_ownership(), std::array{labels.size()});
}

template <typename T>
void as_xtensor(const Matrix<T>&& matrix) = delete;  // its memory would be gone
void as_xtensor(const Labels&& labels) = delete;

/// The values of an xtensor expression of rank 2, or of a higher rank with all axes after the first flattened, last
/// axis fastest whatever the expression's layout. The values keep their type; Dataset takes matrices of std::uint8_t
/// and float, so convert others to float first: `to_matrix(xt::cast<float>(expression))`. Throws ShapeError for rank 0
/// or 1.
template <typename Expression>
Matrix<std::remove_cv_t<typename Expression::value_type>> to_matrix(const xt::xexpression<Expression>& expression) {
  const Expression& values = expression.derived_cast();
  const std::size_t rank = values.dimension();
  if (rank < 2) {
    throw ShapeError(concatenate({"to_matrix: rank ", rank, ", expected 2 (rows, columns) or more"}));
  }
  const auto& shape = values.shape();
  std::size_t columns = 1;
  for (std::size_t axis = 1; axis < rank; ++axis) {
    columns *= static_cast<std::size_t>(shape[axis]);
  }
  Matrix<std::remove_cv_t<typename Expression::value_type>> matrix(static_cast<std::size_t>(shape[0]), columns);
  std::copy(values.template cbegin<xt::layout_type::row_major>(), values.template cend<xt::layout_type::row_major>(),
            matrix.data());
  return matrix;
}

/// Labels from an xtensor expression of whole numbers of rank 1. Throws ShapeError for another rank, and for a number
/// that is negative or 2^32 and more, with its place.
template <typename Expression>
  requires std::integral<typename Expression::value_type>
Labels to_labels(const xt::xexpression<Expression>& expression) {
  const Expression& values = expression.derived_cast();
  if (values.dimension() != 1) {
    throw ShapeError(concatenate({"to_labels: rank ", values.dimension(), ", expected 1 (samples)"}));
  }
  Labels labels;
  labels.reserve(values.size());
  for (auto value = values.cbegin(); value != values.cend(); ++value) {
    if (!std::in_range<std::uint32_t>(*value)) {
      throw ShapeError(concatenate({"to_labels: label of sample ", labels.size(), " is ", *value, ", expected 0 to ",
                                    std::numeric_limits<std::uint32_t>::max()}));
    }
    labels.push_back(static_cast<std::uint32_t>(*value));
  }
  return labels;
}

/// Writes an expression of numbers as an NPY file, whole or not at all; one stored column by column stays so. Throws
/// FileError.
template <typename Expression>
void save_npy(const std::filesystem::path& path, const xt::xexpression<Expression>& expression) {
  using Value = std::remove_cv_t<typename Expression::value_type>;
  constexpr bool by_columns = Expression::static_layout == xt::layout_type::column_major;
  constexpr xt::layout_type layout = by_columns ? xt::layout_type::column_major : xt::layout_type::row_major;
  const Expression& values = expression.derived_cast();
  const std::vector<std::size_t> shape(values.shape().begin(), values.shape().end());
  AlignedBuffer<Value> elements(values.size());
  std::copy(values.template cbegin<layout>(), values.template cend<layout>(), elements.data());
  detail::write_npy(path, detail::npy_type<Value>(), by_columns, shape, std::as_bytes(elements.span()));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
