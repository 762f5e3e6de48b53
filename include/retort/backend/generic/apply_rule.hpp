// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// An optimizer's rule on one parameter, for backends that take one at a time.

#include <cstddef>
#include <utility>

#include "retort/core/host_device.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Moves `parameter` and its moments: moment(i), called for i < `Moments` only, is a reference to the i-th.
template <std::size_t Moments, typename Rule, typename Scalar, typename MomentOf>
RETORT_HOST_DEVICE void apply_rule(const Rule& rule, Scalar& parameter, const Scalar& gradient,
                                   const MomentOf& moment) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    rule(parameter, gradient, moment(Index)...);
  }(std::make_index_sequence<Moments>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
