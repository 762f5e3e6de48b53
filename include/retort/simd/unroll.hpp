// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What keeps an inner loop in registers: functions that are inlined, and loops of constants.

#include <cstddef>
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

template <typename Function, std::size_t... I>
RETORT_INLINE void unroll(const Function& function, std::index_sequence<I...> /*indices*/) {
  (function(I), ...);
}

/// Calls function(I) for I = 0 ... Count - 1. Once it is inlined, I is a constant: a function of a plain std::size_t,
/// as one of constants would be compiled Count times.
template <std::size_t Count, typename Function>
RETORT_INLINE void unroll(const Function& function) {
  unroll(function, std::make_index_sequence<Count>{});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd::detail
