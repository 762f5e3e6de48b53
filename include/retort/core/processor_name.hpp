// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The instruction set that this part of the program is compiled for. Equal sources round sums and fused products
/// otherwise on another, so a training repeats its bits on the same one only.

#include <string_view>

namespace retort {

/// "x86-64 with AVX-512", as the compiler was told: the processor at hand may have more.
inline constexpr std::string_view processor_name =
#if defined(__x86_64__) || defined(_M_X64)
#if defined(__AVX512F__)
    "x86-64 with AVX-512"
#if defined(__AVX512BF16__)
    " and AVX512_BF16"
#endif
#elif defined(__AVX2__)
    "x86-64 with AVX2"
#elif defined(__AVX__)
    "x86-64 with AVX"
#else
    "x86-64 with SSE2"
#endif
#if defined(__FMA__) && !defined(__AVX512F__)
    " and FMA"
#endif
#elif defined(__aarch64__)
    "ARM with NEON"
#else
    "another processor"
#endif
#if defined(RETORT_PLAIN_SIMD)
    ", kernels in plain C++"
#endif
    ;

}  // namespace retort
