// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Mean and spread of a few numbers.

#include <cmath>
#include <cstddef>
#include <span>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The results of several runs of one experiment.
struct Statistics {
  std::size_t count = 0;
  double mean = 0.0;                ///< 0 without values
  double standard_deviation = 0.0;  ///< of the sample, by count - 1; 0 of fewer than two values
};

/// In two passes, each in the given order: the sum, then the squares of the deviations from the mean.
inline Statistics statistics(std::span<const double> values) {
  Statistics result{.count = values.size()};
  if (values.empty()) {
    return result;
  }
  double sum = 0.0;
  for (const double value : values) {
    sum += value;
  }
  result.mean = sum / static_cast<double>(values.size());
  if (values.size() > 1) {
    double squares = 0.0;
    for (const double value : values) {
      squares += (value - result.mean) * (value - result.mean);
    }
    result.standard_deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  return result;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
