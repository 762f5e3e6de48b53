// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// `RETORT_QUIET_INTRINSICS_BEGIN` and `RETORT_QUIET_INTRINSICS_END` enclose the includes of libraries that are written
/// in SIMD intrinsics. Many intrinsics of AVX-512 leave lanes undefined, which g++ 12 takes for uninitialised variables
/// wherever they are inlined into a program; it is silent if the warning is off at one place on the way. Eigen 3.4 also
/// has unused variables.

#include "retort/core/require_cxx20.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#define RETORT_QUIET_INTRINSICS_BEGIN                                                  \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wuninitialized\"") \
      _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")                      \
          _Pragma("GCC diagnostic ignored \"-Wunused-variable\"")
#define RETORT_QUIET_INTRINSICS_END _Pragma("GCC diagnostic pop")
#else
#define RETORT_QUIET_INTRINSICS_BEGIN
#define RETORT_QUIET_INTRINSICS_END
#endif
