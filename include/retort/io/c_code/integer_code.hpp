// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The C of a program in integers, without its numbers. `$` stands for the file's prefix, `@` for that in capitals
/// (CNames). The file also defines the macros INPUTS and OUTPUTS with it, and the types $input (of an input), $value
/// (uint8_t, or uint16_t where inputs are sums of pixels) and $number, in which a $value times a weight fits.

#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// Where constants lie, and how they are read; the rescaling of sums.
inline constexpr std::string_view integer_beginning = R"(
/* Where constants lie, such as PROGMEM, and how they are read there: pgm_read_byte, pgm_read_dword, pgm_read_float. */
#ifndef @MEMORY
#define @MEMORY
#endif
#ifndef @READ_8
#define @READ_8(address) (*(address))
#define @READ_32(address) (*(address))
#define @READ_FLOAT(address) (*(address))
#define @PLAIN_MEMORY
#endif
#if defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_BIG_ENDIAN) && defined(@PLAIN_MEMORY)
#define @DSP /* two products in an instruction */
#endif

/* The sum times multiplier / 2^(31 + shift), rounded as in gemmlowp. */
static inline int32_t $scale(int32_t sum, int32_t multiplier, uint8_t shift) {
  const int32_t high = (int32_t)(((int64_t)sum * multiplier + 1073741824) >> 31);
  const int32_t mask = (int32_t)(((uint32_t)1 << shift) - 1u);
  return (high >> shift) + ((high & mask) > (mask >> 1) + (high < 0 ? 1 : 0) ? 1 : 0);
}
)";

/// Four numbers of 8 bits in a word, as two pairs of 16 bits: numbers 0 and 2, and 1 and 3.
inline constexpr std::string_view arm_pairs = R"(
#if defined(@DSP)
#include <arm_acle.h>
typedef struct {
  int16x2_t even, odd;
} $pairs;

/* One instruction, which no intrinsic gives: numbers 1 and 3. */
static inline int16x2_t $odd(uint32_t word) {
  int16x2_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
  return pair;
}

static inline uint32_t $load(const void *address) {
  uint32_t word;
  __builtin_memcpy(&word, address, 4);
  return word;
}

static inline int32_t $multiply(uint32_t weights, $pairs x, int32_t sum) {
  sum = __smlad((int16x2_t)__sxtb16((int8x4_t)weights), x.even, sum);
  return __smlad($odd(weights), x.odd, sum);
}

static inline $pairs $load_inputs(const $value *x) {
  $pairs pairs;
)";
inline constexpr std::string_view arm_pairs_of_bytes = R"(  const uint32_t word = $load(x);
  pairs.even = (int16x2_t)__uxtb16((uint8x4_t)word);
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(pairs.odd) : "r"(word));
)";
inline constexpr std::string_view arm_pairs_of_sums = R"(  const uint32_t first = $load(x), second = $load(x + 2);
  pairs.even = (int16x2_t)((first & 65535u) | (second << 16));
  pairs.odd = (int16x2_t)((first >> 16) | (second & 4294901760u));
)";
inline constexpr std::string_view arm_pairs_end = R"(  return pairs;
}
#elif !defined(__SSE2__) && !defined(__ARM_NEON)
#define @IN_PAIRS /* without SIMD two rows share what they load */
#endif
#if defined(@DSP)
#define @ROWS 3 /* computed at once */
#define @WITH_REGISTERS static __attribute__((noinline, unused)) /* it needs all of them */
#else
#define @ROWS 4
#define @WITH_REGISTERS static inline
#endif
)";

/// Sums of rows of 8 bits: three rows, or two, share what they load.
inline constexpr std::string_view dot_of_bytes = R"(
typedef int8_t $weight;
#define @EXTRA_BITS 0 /* of sums */

/* Adds to sums[0 .. rows - 1] the products of x and as many rows of weights; returns where the next row begins. */
@WITH_REGISTERS const $weight *$dot(const $value *x, uint16_t inputs, const $weight *w, uint8_t rows, int32_t *sums) {
  const $value *const fours = x + (inputs & 65532u);
  const $value *const end = x + inputs;
#if defined(@DSP)
  if (inputs >= 4) {
    /* Three rows at once are what the registers hold. Of fewer, one is computed again, and dropped. */
    const $weight *w1 = w + (rows > 1 ? inputs : 0), *w2 = w + (rows > 2 ? 2 * inputs : 0);
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2];
    do {
      const $pairs v = $load_inputs(x);
      s0 = $multiply($load(w), v, s0);
      s1 = $multiply($load(w1), v, s1);
      s2 = $multiply($load(w2), v, s2);
      x += 4;
      w += 4;
      w1 += 4;
      w2 += 4;
    } while (x < fours);
    for (; x < end; ++x) {
      s0 += *w++ * ($number)*x;
      s1 += *w1++ * ($number)*x;
      s2 += *w2++ * ($number)*x;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    return w2 > w1 ? w2 : w1;
  }
#elif defined(@IN_PAIRS)
  for (; rows > 1; rows = (uint8_t)(rows - 2), sums += 2) {
    const $weight *b = w + inputs;
    const $value *v = x;
    int32_t s = sums[0], t = sums[1];
    for (; v < fours; v += 4, w += 4, b += 4) {
      const $number v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3];
      s += (int8_t)@READ_8(w) * v0;
      t += (int8_t)@READ_8(b) * v0;
      s += (int8_t)@READ_8(w + 1) * v1;
      t += (int8_t)@READ_8(b + 1) * v1;
      s += (int8_t)@READ_8(w + 2) * v2;
      t += (int8_t)@READ_8(b + 2) * v2;
      s += (int8_t)@READ_8(w + 3) * v3;
      t += (int8_t)@READ_8(b + 3) * v3;
    }
    for (; v < end; ++v, ++w, ++b) {
      s += (int8_t)@READ_8(w) * ($number)*v;
      t += (int8_t)@READ_8(b) * ($number)*v;
    }
    sums[0] = s;
    sums[1] = t;
    w = b;
  }
#endif
  (void)fours;
  (void)end;
  for (; rows > 0; --rows, ++sums) {
    int32_t s = *sums;
    uint16_t i;
    for (i = 0; i < inputs; ++i) {
      s += (int8_t)@READ_8(w + i) * ($number)x[i];
    }
    *sums = s;
    w += inputs;
  }
  return w;
}
)";

/// The same of 4 bits, in the order of packed_by_two.
inline constexpr std::string_view dot_of_nibbles = R"(
typedef uint8_t $weight;      /* two of them */
#define @EXTRA_BITS 4 /* of sums */

/* Two weights of a byte, each times 16. */
#define @BELOW(byte) ((int8_t)(uint8_t)((byte) << 4))
#define @ABOVE(byte) ((int8_t)(uint8_t)((byte) & 240u))

/* Adds to sums[0 .. rows - 1] 16 times the products of x and as many rows; returns where the next row begins. */
@WITH_REGISTERS const $weight *$dot(const $value *x, uint16_t inputs, const $weight *w, uint8_t rows, int32_t *sums) {
  const $value *const eights = x + (inputs & 65528u);
  const $value *const end = x + inputs;
  for (; rows > 0; --rows, ++sums) {
    const $value *v = x;
    int32_t s = *sums;
    for (; v < eights; v += 8, w += 4) {
#if defined(@DSP)
      const uint32_t bytes = $load(w);
      s = $multiply((bytes << 4) & 4042322160u, $load_inputs(v), s);
      s = $multiply(bytes & 4042322160u, $load_inputs(v + 4), s);
#else
      uint8_t b;
      for (b = 0; b < 4; ++b) {
        const uint8_t byte = @READ_8(w + b);
        s += @BELOW(byte) * ($number)v[b];
        s += @ABOVE(byte) * ($number)v[b + 4];
      }
#endif
    }
    for (; v < end && v < eights + 4; ++v, ++w) {
      const uint8_t byte = @READ_8(w);
      s += @BELOW(byte) * ($number)v[0];
      if (v + 4 < end) {
        s += @ABOVE(byte) * ($number)v[4];
      }
    }
    *sums = s;
  }
  return w;
}
)";

/// A layer.
inline constexpr std::string_view integer_layer_code = R"(
typedef struct {
  uint16_t inputs, outputs;
  uint8_t zero, lowest; /* the byte that stands for 0, and the least that is given */
  const $weight *weights;
  const int32_t *biases, *multipliers;
  const uint8_t *shifts;
  const uint8_t *table; /* what each byte becomes, or a null pointer */
} $layer;

static inline void $compute($layer layer, const $value *x, $value *y) {
  uint16_t row = 0;
  while (row < layer.outputs) {
    const uint8_t rows = (uint8_t)(layer.outputs - row < @ROWS ? layer.outputs - row : @ROWS);
    int32_t sums[@ROWS] = {0};
    uint8_t i;
    layer.weights = $dot(x, layer.inputs, layer.weights, rows, sums);
    for (i = 0; i < rows; ++i, ++row) {
      const int32_t sum = (sums[i] >> @EXTRA_BITS) + (int32_t)@READ_32(layer.biases + row);
      int32_t byte = $scale(sum, (int32_t)@READ_32(layer.multipliers + row), @READ_8(layer.shifts + row)) + layer.zero;
      byte = byte < layer.lowest ? layer.lowest : byte > 255 ? 255 : byte;
      if (layer.table) {
        byte = @READ_8(layer.table + byte);
      }
      y[row] = ($value)byte;
    }
  }
}
)";

/// Real inputs as bytes: RealInputs::byte.
inline constexpr std::string_view real_inputs_code = R"(
static inline uint8_t $round_input(float x, float center, float factor) {
  float halves = (x - center) * factor;
  int32_t byte;
  halves = halves > -1024.0f ? halves : -1024.0f;
  halves = halves < 1024.0f ? halves : 1024.0f;
  byte = (int32_t)halves;
  byte = (byte + (byte < 0 ? -1 : 1)) / 2 + @INPUT_ZERO;
  return (uint8_t)(byte < 0 ? 0 : byte > 255 ? 255 : byte);
}
)";

/// Shared by all programs of integers: the test.
inline constexpr std::string_view integer_end = R"(
/* 0 if the example inputs give exactly the logits that they gave where this file was written; else the number of the
   first that does not, from 1. Takes @INPUTS inputs of stack more than $classify. */
static inline int $selftest(void) {
  $input inputs[@INPUTS];
  int8_t logits[@OUTPUTS];
  int example, i;
  for (example = 0; example < @EXAMPLES; ++example) {
    $example(example, inputs);
    $logits(inputs, logits);
    for (i = 0; i < @OUTPUTS; ++i) {
      if (logits[i] != (int8_t)@READ_8($answers + example * @OUTPUTS + i)) {
        return example + 1;
      }
    }
  }
  return 0;
}
)";

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
