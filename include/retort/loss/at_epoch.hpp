// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses that change from epoch to epoch.

#include <concepts>
#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/loss/loss.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The loss that trains an epoch, counted from 0: `loss.at_epoch(epoch)` if the loss has that, else the loss itself. A
/// loss that holds others calls this for them.
template <Loss L>
L loss_at_epoch(const L& loss, std::size_t epoch) {
  if constexpr (requires { loss.at_epoch(epoch); }) {
    static_assert(std::same_as<decltype(loss.at_epoch(epoch)), L>, "retort: at_epoch returns a loss of its own type");
    return loss.at_epoch(epoch);
  } else {
    return loss;
  }
}

namespace internal {

/// min(epoch / epochs, 1) with epochs counted from 1, where `epoch` is counted from 0.
inline double warmup_factor(std::size_t epoch, std::size_t epochs) {
  return epoch >= epochs ? 1.0 : static_cast<double>(epoch + 1) / static_cast<double>(epochs);
}

}  // namespace internal

}  // namespace retort::inline RETORT_INSTRUCTION_SET
