// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Dropout.

#include <cstdint>
#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// While training, each element is set to 0 with probability Rate and the others are multiplied by 1 / (1 - Rate);
/// otherwise the identity: torch.nn.Dropout. Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting" (2014). Element e of the batch (row-major) in layer l at step s is dropped if word e of
/// RandomStream(seed, Stream::dropout, s, l) is below Rate * 2^32: the same mask on every backend, and again in the
/// backward pass without being stored.
template <double Rate>
struct Dropout {
  static_assert(Rate >= 0.0 && Rate < 1.0, "retort: the rate of a Dropout<Rate> layer must be in [0, 1)");

  static constexpr std::string_view name = "Dropout";
  static constexpr double rate = Rate;

  /// Words below this are dropped.
  static constexpr std::uint32_t threshold = static_cast<std::uint32_t>(Rate * 4294967296.0);
  /// The factor of elements that are kept.
  static constexpr double scale = 1.0 / (1.0 - Rate);
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
