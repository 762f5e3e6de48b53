// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses: a row of the batch a call.

#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/loss_row.hpp"
#include "retort/backend/generic/reduction.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

template <typename B, typename Scalar, Loss L, std::size_t Classes>
void evaluate_loss(const Generic<B>& generic, const L& loss, Width<Classes>, const LossArguments<Scalar>& arguments) {
  for_each_of<Classes>(generic.self(), arguments.batch, LossRow<L, Classes, Scalar>(loss, arguments));
}

template <typename B, typename Scalar>
LossSum sum_losses(const Generic<B>& generic, const Scalar* losses, const std::uint8_t* correct, std::size_t count) {
  return {detail::read_sum(generic.self(), count, detail::ValueOf<Scalar>{losses}),
          static_cast<std::size_t>(detail::read_sum(generic.self(), count, detail::ValueOf<std::uint8_t>{correct}))};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
