// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses on the Eigen backend: row after row, on the calling thread (ten classes are too few to share out).

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/loss_row.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

template <typename Scalar, Loss L, std::size_t Classes>
void evaluate_loss(const Eigen&, const L& loss, Width<Classes>, const LossArguments<Scalar>& arguments) {
  const LossRow<L, Classes, Scalar> evaluate_row(loss, arguments);
  for (std::size_t row = 0; row < arguments.batch; ++row) {
    evaluate_row(row);
  }
}

/// Sums are in double, in the samples' order.
template <typename Scalar>
LossSum sum_losses(const Eigen&, const Scalar* losses, const std::uint8_t* correct, std::size_t count) {
  LossSum sum;
  for (std::size_t i = 0; i < count; ++i) {
    sum.loss += static_cast<double>(losses[i]);
    sum.correct += correct[i];
  }
  return sum;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
