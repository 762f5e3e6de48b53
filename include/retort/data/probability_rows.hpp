// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tells probabilities from logits.

#include <cmath>
#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/data/matrix.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

/// Whether each row, (classes), has two numbers or more, none below 0, that add up to 1 within 1e-3. This holds for
/// probabilities even if they were rounded to float16; logits of all samples are hardly ever so.
[[gnu::cold]] inline bool are_probabilities(const Matrix<float>& rows) {
  constexpr double tolerance = 1e-3;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    double sum = 0;
    for (const float value : rows.row(row)) {
      if (value < 0.0f) {
        return false;
      }
      sum += double{value};
    }
    if (std::abs(sum - 1) > tolerance) {
      return false;
    }
  }
  return rows.rows() > 0 && rows.columns() >= 2;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
