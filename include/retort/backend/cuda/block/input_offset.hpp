// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Inputs that are bytes stand for x * scale + offset. The products are of the bytes x; the offset is added to their
/// sums.

#include <cstddef>

#include "retort/backend/cuda/block/layout.hpp"
#include "retort/backend/cuda/block/operands.hpp"
#include "retort/backend/cuda/vector_access.hpp"
#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Whether bytes that enter the first stage have an offset.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE bool has_offset(const data::GatherConstants<Scalar>& constants) {
  return Layout::input_kind == InputKind::bytes && constants.offset != 0;
}

/// What an offset of the inputs adds to each output of the first stage: offset times the sum of its weights.
template <typename Layout, typename Scalar>
RETORT_HOST_DEVICE void sum_rows(std::size_t thread, Scalar offset, Scalar* memory) {
  using S = Stage<typename Layout::Model, 0>;
  for (std::size_t row = thread; row < S::out; row += Layout::threads) {
    Scalar sums[quad] = {};
    for (std::size_t q = 0; q < S::quads; ++q) {
      const Quad<Scalar> weights = weight_quad<S::in>(memory + Layout::parameters + S::weight, row, q);
      for (std::size_t f = 0; f < quad; ++f) {
        sums[f] += weights.values[f];
      }
    }
    memory[Layout::row_sums + row] = offset * ((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
