// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Eigen's matrix product with packing buffers of our own. Eigen allocates them in every product of more than 128 KiB;
/// here each thread keeps them, so that a training step and predict allocate nothing once warmed up.

#include <cstddef>

#include "retort/backend/eigen/core.hpp"
#include "retort/backend/eigen/product_library.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// Memory that a thread keeps for itself and never gives back; grows to the largest size asked for. Contents are
/// undefined. `Tag` tells apart uses that are alive at the same time.
template <typename Scalar, typename Tag>
Scalar* thread_scratch(std::size_t size) {
  thread_local AlignedBuffer<Scalar> buffer;
  if (buffer.size() < size) {
    buffer = AlignedBuffer<Scalar>(size);
  }
  return buffer.data();
}

/// Block sizes as Eigen chooses them for one thread, over buffers of this thread.
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
    this->m_blockA = thread_scratch<Scalar, LeftTag>(static_cast<std::size_t>(this->m_kc * this->m_mc));
    this->m_blockB = thread_scratch<Scalar, RightTag>(static_cast<std::size_t>(this->m_kc * this->m_nc));
  }
};

/// A MatrixOperand whose order is a type's.
template <typename Scalar, Order order>
struct Operand {
  const Scalar* data;
  std::size_t stride;
};

/// result += left * right on the calling thread, with left (rows, depth), right (depth, columns) and result (rows,
/// columns) in column-major order. Eigen's own kernel, entered below the layer that allocates.
template <typename Scalar, Order left_order, Order right_order>
void add_product(std::size_t rows, std::size_t columns, std::size_t depth, Operand<Scalar, left_order> left,
                 Operand<Scalar, right_order> right, Scalar* result, std::size_t result_stride) {
  using ::Eigen::Index;
  constexpr int left_storage = left_order == Order::row_major ? ::Eigen::RowMajor : ::Eigen::ColMajor;
  constexpr int right_storage = right_order == Order::row_major ? ::Eigen::RowMajor : ::Eigen::ColMajor;
  PackedBlocking<Scalar> blocking(static_cast<Index>(rows), static_cast<Index>(columns), static_cast<Index>(depth));
  ::Eigen::internal::general_matrix_matrix_product<Index, Scalar, left_storage, false, Scalar, right_storage, false,
                                                   ::Eigen::ColMajor, 1>::run(static_cast<Index>(rows),
                                                                              static_cast<Index>(columns),
                                                                              static_cast<Index>(depth), left.data,
                                                                              static_cast<Index>(left.stride),
                                                                              right.data,
                                                                              static_cast<Index>(right.stride), result,
                                                                              1, static_cast<Index>(result_stride),
                                                                              Scalar{1}, blocking, nullptr);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail
