// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Sums over a number of each thread of a block. A few threads add up strands, and each reader adds those up. One
/// thread alone would wait for each of the hundreds of additions.

#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::block {

/// Number of strands; strand i adds up threads i, i + 16, ...
inline constexpr std::size_t thread_strands = 16;

/// A phase, after which sum_of_strands(row) is a row's sum. `rows` rows of `values`, in memory that the team shares,
/// hold a number of each thread.
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
