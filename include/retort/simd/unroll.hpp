// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What keeps an inner loop in registers: functions that are inlined, and loops of constants.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/core/instruction_set.hpp"

// Unoptimised code does not inline these either: bodies copied into each caller would take a fifth of the compiler's
// time.
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define RETORT_INLINE inline __attribute__((always_inline))
#define RETORT_NOINLINE __attribute__((noinline))
#else
#define RETORT_INLINE inline
#define RETORT_NOINLINE
#endif

namespace retort::inline RETORT_INSTRUCTION_SET::simd::detail {

/// Calls function(I) for I = 0 ... Count - 1, where I is a constant.
template <std::size_t Count, typename Function>
RETORT_INLINE void unroll(const Function& function) {
  [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    (function(std::integral_constant<std::size_t, I>{}), ...);
  }(std::make_index_sequence<Count>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd::detail
