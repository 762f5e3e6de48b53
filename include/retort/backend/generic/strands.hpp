// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Sums that a compiler can keep in SIMD registers, in an order that depends on their length alone.

#include <cstddef>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail {

/// The sum of summand(i) over all i below `count`, in as many strands as the widest SIMD register has elements.
template <typename Sum, typename Summand>
RETORT_HOST_DEVICE Sum sum_in_strands(std::size_t count, const Summand& summand) {
  constexpr std::size_t strands = 64 / sizeof(Sum);
  Sum sums[strands] = {};
  const std::size_t whole = count / strands * strands;
  for (std::size_t i = 0; i < whole; i += strands) {
    for (std::size_t strand = 0; strand < strands; ++strand) {
      sums[strand] += static_cast<Sum>(summand(i + strand));
    }
  }
  Sum sum = 0;
  for (const Sum& of_strand : sums) {
    sum += of_strand;
  }
  for (std::size_t i = whole; i < count; ++i) {
    sum += static_cast<Sum>(summand(i));
  }
  return sum;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::detail
