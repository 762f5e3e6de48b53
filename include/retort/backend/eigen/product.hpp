// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Eigen's matrix product with packing buffers of our own. Eigen allocates them in every product of more than 128 KiB;
/// here each thread keeps them, so that a training step and predict allocate nothing once warmed up.

#include <cstddef>

#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/product_library.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/core/thread_scratch.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// Block sizes as Eigen chooses them for one thread, in buffers of this thread.
template <typename Scalar>
class PackedBlocking : public ::Eigen::internal::level3_blocking<Scalar, Scalar> {
 public:
  PackedBlocking(::Eigen::Index rows, ::Eigen::Index columns, ::Eigen::Index depth) {
    this->m_mc = rows;
    this->m_nc = columns;
    this->m_kc = depth;
    ::Eigen::internal::computeProductBlockingSizes<Scalar, Scalar>(this->m_kc, this->m_mc, this->m_nc,
                                                                   ::Eigen::Index{1});
    struct LeftTag;
    struct RightTag;
    this->m_blockA = internal::thread_scratch<Scalar, LeftTag>(static_cast<std::size_t>(this->m_kc * this->m_mc));
    this->m_blockB = internal::thread_scratch<Scalar, RightTag>(static_cast<std::size_t>(this->m_kc * this->m_nc));
  }
};

/// result += left * right on the calling thread; each factor may be transposed. Eigen's own kernel, called below the
/// layer that allocates.
template <Transpose left_transpose, Transpose right_transpose, typename Scalar>
void add_product(MatrixView<const Scalar> left, MatrixView<const Scalar> right, MatrixView<Scalar> result) {
  using ::Eigen::Index;
  // The kernel writes columns: result^T = right^T left^T, whose columns are our rows.
  constexpr int left_storage = left_transpose == Transpose::yes ? ::Eigen::RowMajor : ::Eigen::ColMajor;
  constexpr int right_storage = right_transpose == Transpose::yes ? ::Eigen::RowMajor : ::Eigen::ColMajor;
  const auto rows = static_cast<Index>(result.columns);
  const auto columns = static_cast<Index>(result.rows);
  const auto depth = static_cast<Index>(left_transpose == Transpose::yes ? left.rows : left.columns);
  PackedBlocking<Scalar> blocking(rows, columns, depth);
  ::Eigen::internal::general_matrix_matrix_product<Index, Scalar, right_storage, false, Scalar, left_storage, false,
                                                   ::Eigen::ColMajor, 1>::run(rows, columns, depth, right.data,
                                                                              static_cast<Index>(right.stride),
                                                                              left.data,
                                                                              static_cast<Index>(left.stride),
                                                                              result.data, 1,
                                                                              static_cast<Index>(result.stride),
                                                                              Scalar{1}, blocking, nullptr);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail
