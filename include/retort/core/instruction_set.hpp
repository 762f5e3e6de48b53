// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `RETORT_INSTRUCTION_SET` names the instructions that this file is compiled to. The library lies in `namespace
/// retort::inline RETORT_INSTRUCTION_SET`, so files of one program that are compiled for different processors each have
/// functions of their own. Under one name the linker would keep one copy for all of them, and call it on processors
/// that lack its instructions. Source code does not see the name: `retort::Linear` is its own file's. Two instruction
/// sets have different types, but the same exceptions (core/error.hpp).
///
/// The name distinguishes all that a compiler's macros distinguish. It covers this library alone: functions of std and
/// Eigen have one name for all instruction sets, and the linker keeps those of the first object file that has them.

#include "retort/core/require_cxx20.hpp"

#include <string_view>

#ifndef RETORT_PLAIN_SIMD
#if defined(__AVX512F__) && !defined(__OPTIMIZE__) && !defined(__clang__) && !defined(__CUDACC__)
// g++ does not compile xsimd for AVX-512 without optimisation: its intrinsics are macros then, to which xsimd's select
// of integers (in log) gives the wrong type. Such a build's speed does not matter. nvcc reads no SIMD code, and its
// files link with optimised ones of g++.
#define RETORT_PLAIN_SIMD 1
#elif defined(__clang__) && defined(__FAST_MATH__) && defined(__SSE2__) && !defined(__SSE4_1__)
// With SSE2 alone xsimd rounds by adding and subtracting a constant, which clang++ removes under -ffast-math: each
// exponential would be wrong.
#define RETORT_PLAIN_SIMD 1
#endif
#endif

// RETORT_WORD(MACRO, word): `word` where the compiler defines MACRO as 1, else nothing.
#define RETORT_WORD(macro, word) RETORT_WORD_IF(macro, word)
#define RETORT_WORD_IF(value, word) RETORT_SECOND_OF(RETORT_PROBE_##value(word), , ~)
#define RETORT_PROBE_1(word) ~, word
#define RETORT_SECOND_OF(...) RETORT_SECOND(__VA_ARGS__)
#define RETORT_SECOND(first, second, ...) second

#define RETORT_JOIN(a, b, c, d, e, f, g, h, i) RETORT_JOIN_WORDS(a, b, c, d, e, f, g, h, i)
#define RETORT_JOIN_WORDS(a, b, c, d, e, f, g, h, i) a##b##c##d##e##f##g##h##i

#if defined(__x86_64__) || defined(__i386__)

// The levels of the x86-64 psABI, and the parts of a higher level where it is not complete. Left out is what compilers
// use only when a program asks for it (AES, SHA, AMX).
#define RETORT_X86_V2                                                                                        \
  RETORT_JOIN(RETORT_WORD(__SSE3__, _sse3), RETORT_WORD(__SSSE3__, _ssse3), RETORT_WORD(__SSE4_1__, _sse41), \
              RETORT_WORD(__SSE4_2__, _sse42), RETORT_WORD(__POPCNT__, _popcnt), , , , )
#define RETORT_X86_V3                                                                                 \
  RETORT_JOIN(RETORT_WORD(__AVX__, _avx), RETORT_WORD(__AVX2__, _avx2), RETORT_WORD(__BMI__, _bmi),   \
              RETORT_WORD(__BMI2__, _bmi2), RETORT_WORD(__F16C__, _f16c), RETORT_WORD(__FMA__, _fma), \
              RETORT_WORD(__LZCNT__, _lzcnt), RETORT_WORD(__MOVBE__, _movbe), )
#define RETORT_X86_V4                                                                                             \
  RETORT_JOIN(RETORT_WORD(__AVX512F__, _avx512f), RETORT_WORD(__AVX512BW__, _bw), RETORT_WORD(__AVX512CD__, _cd), \
              RETORT_WORD(__AVX512DQ__, _dq), RETORT_WORD(__AVX512VL__, _vl), , , , )
#define RETORT_X86_ICELAKE                                                                          \
  RETORT_JOIN(RETORT_WORD(__AVX512IFMA__, _ifma), RETORT_WORD(__AVX512VBMI__, _vbmi),               \
              RETORT_WORD(__AVX512VBMI2__, _vbmi2), RETORT_WORD(__AVX512VNNI__, _vnni),             \
              RETORT_WORD(__AVX512BITALG__, _bitalg), RETORT_WORD(__AVX512VPOPCNTDQ__, _vpopcntdq), \
              RETORT_WORD(__GFNI__, _gfni), , )
#define RETORT_X86_OTHER                                                                                        \
  RETORT_JOIN(RETORT_WORD(__AVX512BF16__, _bf16), RETORT_WORD(__AVX512FP16__, _fp16),                           \
              RETORT_WORD(__AVXVNNI__, _avxvnni), RETORT_WORD(__SSE4A__, _sse4a), RETORT_WORD(__FMA4__, _fma4), \
              RETORT_WORD(__XOP__, _xop), RETORT_WORD(__TBM__, _tbm), , )

#if !(defined(__SSE3__) && defined(__SSSE3__) && defined(__SSE4_1__) && defined(__SSE4_2__) && defined(__POPCNT__))
#define RETORT_PROCESSOR                                                                                        \
  RETORT_JOIN(x86, RETORT_WORD(__SSE2__, _v1), RETORT_X86_V2, RETORT_X86_V3, RETORT_X86_V4, RETORT_X86_ICELAKE, \
              RETORT_X86_OTHER, , )
#elif !(defined(__AVX__) && defined(__AVX2__) && defined(__BMI__) && defined(__BMI2__) && defined(__F16C__) && \
        defined(__FMA__) && defined(__LZCNT__) && defined(__MOVBE__))
#define RETORT_PROCESSOR RETORT_JOIN(x86_v2, RETORT_X86_V3, RETORT_X86_V4, RETORT_X86_ICELAKE, RETORT_X86_OTHER, , , , )
#elif !(defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && \
        defined(__AVX512VL__))
#define RETORT_PROCESSOR RETORT_JOIN(x86_v3, RETORT_X86_V4, RETORT_X86_ICELAKE, RETORT_X86_OTHER, , , , , )
#elif !(defined(__AVX512IFMA__) && defined(__AVX512VBMI__) && defined(__AVX512VBMI2__) && defined(__AVX512VNNI__) && \
        defined(__AVX512BITALG__) && defined(__AVX512VPOPCNTDQ__) && defined(__GFNI__))
#define RETORT_PROCESSOR RETORT_JOIN(x86_v4, RETORT_X86_ICELAKE, RETORT_X86_OTHER, , , , , , )
#else
#define RETORT_PROCESSOR RETORT_JOIN(x86_v4_icelake, RETORT_X86_OTHER, , , , , , , )
#endif

#elif defined(__aarch64__) || defined(__arm__)

#define RETORT_PROCESSOR                                                                                      \
  RETORT_JOIN(arm, __ARM_ARCH, RETORT_WORD(__ARM_NEON, _neon), RETORT_WORD(__ARM_FEATURE_FMA, _fma),          \
              RETORT_WORD(__ARM_FEATURE_DOTPROD, _dotprod), RETORT_WORD(__ARM_FEATURE_ATOMICS, _atomics),     \
              RETORT_WORD(__ARM_FEATURE_FP16_VECTOR_ARITHMETIC, _fp16), RETORT_WORD(__ARM_FEATURE_SVE, _sve), \
              RETORT_WORD(__ARM_FEATURE_SVE2, _sve2))

#else
#define RETORT_PROCESSOR other
#endif

// Code with other arithmetic also gets another name.
#define RETORT_INSTRUCTION_SET                                                                             \
  RETORT_JOIN(RETORT_PROCESSOR, RETORT_WORD(RETORT_PLAIN_SIMD, _plain), RETORT_WORD(__FAST_MATH__, _fast), \
              RETORT_WORD(__FINITE_MATH_ONLY__, _finite), , , , , )

/// The same as a string literal.
#define RETORT_INSTRUCTION_SET_NAME RETORT_QUOTE(RETORT_INSTRUCTION_SET)
#define RETORT_QUOTE(word) RETORT_QUOTE_WORD(word)
#define RETORT_QUOTE_WORD(word) #word

/// For a constructor of an exception, whose type all instruction sets share: each has its own constructor, since that
/// calls functions of its own.
#define RETORT_ERROR_CONSTRUCTOR [[gnu::abi_tag(RETORT_INSTRUCTION_SET_NAME), gnu::cold, gnu::noinline]]

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The same for programs, such as "x86_v3": the compiler's target; the processor may have more. Another one rounds sums
/// and fused products differently, so a training repeats its bits only on the same one.
inline constexpr std::string_view instruction_set = RETORT_INSTRUCTION_SET_NAME;

namespace internal {

/// Such as "g++ 12": compilers fuse and reorder floating-point operations differently, and so may two versions of one.
#if defined(__clang__)
inline constexpr std::string_view compiler = "clang++ " RETORT_QUOTE(__clang_major__);
#elif defined(__GNUC__)
inline constexpr std::string_view compiler = "g++ " RETORT_QUOTE(__GNUC__);
#else
inline constexpr std::string_view compiler = "another compiler";
#endif

}  // namespace internal

}  // namespace retort::inline RETORT_INSTRUCTION_SET
