// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Arithmetic without subnormal numbers, which processors compute a hundred times slower than others.

#include <cstdint>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// While one that is `enabled` lives, this thread reads and writes numbers below the smallest normal one as 0 (flush to
/// zero, denormals are zero). A moment of a weight whose gradients have become 0 shrinks with each step and then stays
/// subnormal, since 0.9 times the smallest number rounds to that number: with a few dead units a training step takes
/// three times as long. Does nothing where the processor is neither x86 with SSE nor 64-bit ARM.
class FlushSubnormals {
 public:
  explicit FlushSubnormals(bool enabled = true) : before_(read()) { write(enabled ? before_ | flush : before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
  ~FlushSubnormals() { write(before_); }

 private:
#if defined(__SSE__)
  using Word = unsigned;
  static constexpr Word flush = 0x8040;  // MXCSR's FTZ and DAZ

  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  static constexpr Word flush = 1u << 24;  // FPCR's FZ

  static Word read() {
    Word word = 0;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = unsigned;
  static constexpr Word flush = 0;

  static Word read() { return 0; }
  static void write(Word /*word*/) {}
#endif

  Word before_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
