// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Mean and spread of a few numbers, and whether they differ from zero.

#include <cmath>
#include <cstddef>
#include <span>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

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

/// The two-sided p-value of "these differences are symmetric about 0", for runs in pairs, such as students of the same
/// seeds with and without a teacher: the share of all 2^n ways to give the n differences signs whose sum is at least as
/// far from 0 as theirs (Fisher, "The design of experiments", 1935, section 21). Exact, at most 2^20 sums: throws
/// OptionError for more than 20 differences, or none.
inline double sign_flip_p_value(std::span<const double> differences) {
  const std::size_t count = differences.size();
  if (count == 0 || count > 20) {
    throw OptionError(concatenate({"sign_flip_p_value: ", count, " differences, expected 1 to 20"}));
  }
  double found = 0.0;
  double sizes = 0.0;
  for (const double difference : differences) {
    found += difference;
    sizes += std::abs(difference);
  }
  const double least = std::abs(found) - 1e-12 * sizes;  // sums that are equal may be rounded differently
  std::size_t as_far = 0;
  for (std::size_t signs = 0; signs < std::size_t{1} << count; ++signs) {
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += (signs >> i & 1u) != 0 ? -differences[i] : differences[i];
    }
    as_far += std::size_t{std::abs(sum) >= least};
  }
  return static_cast<double>(as_far) / static_cast<double>(std::size_t{1} << count);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
