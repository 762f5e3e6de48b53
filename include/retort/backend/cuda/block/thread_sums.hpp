// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Sums over what each thread of a block has found: a few threads add up strands, and whoever needs the sum adds those
/// up. One thread alone would wait for each of the hundreds of additions.

#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Into which the numbers of a block's threads are added up first: every sixteenth.
inline constexpr std::size_t thread_strands = 16;

/// `rows` hold a number of each thread, one row after another, in memory that the team shares. A phase, after which
/// sum_of_strands(row) is a row's sum.
template <typename Team>
RETORT_HOST_DEVICE void add_up_strands(Team& team, std::size_t rows, double* values) {
  static_assert(Team::threads % thread_strands == 0);
  team([&](std::size_t thread) {
    for (std::size_t item = thread; item < rows * thread_strands; item += Team::threads) {
      double* strand = values + item / thread_strands * Team::threads + item % thread_strands;
      double sum = 0.0;
      for (std::size_t other = 0; other < Team::threads; other += thread_strands) {
        sum += strand[other];
      }
      *strand = sum;
    }
  });
}

RETORT_HOST_DEVICE inline double sum_of_strands(const double* row) {
  double sum = 0.0;
  for (std::size_t strand = 0; strand < thread_strands; ++strand) {
    sum += row[strand];
  }
  return sum;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::block
