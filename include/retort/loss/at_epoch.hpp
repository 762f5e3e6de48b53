// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Losses that change from epoch to epoch.

#include <concepts>
#include <cstddef>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The loss, or term of a loss, that trains an epoch, counted from 0: `loss.at_epoch(epoch)` if the loss has that, else
/// the loss itself. A loss that holds others calls this for them.
template <std::copyable L>
L loss_at_epoch(const L& loss, std::size_t epoch) {
  if constexpr (requires { loss.at_epoch(epoch); }) {
    static_assert(std::same_as<decltype(loss.at_epoch(epoch)), L>,
                  "retort: at_epoch returns a loss, or a term, of its own type");
    return loss.at_epoch(epoch);
  } else {
    return loss;
  }
}

namespace internal {

/// The loss with alpha and beta times min((epoch + 1) / warmup_epochs, 1).
template <typename L>
L warmed_up(L loss, std::size_t epoch) {
  if (epoch < loss.warmup_epochs) {
    const double factor = static_cast<double>(epoch + 1) / static_cast<double>(loss.warmup_epochs);
    loss.alpha *= factor;
    loss.beta *= factor;
  }
  return loss;
}

}  // namespace internal

}  // namespace retort::inline RETORT_INSTRUCTION_SET
