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
/* Defined where int has 16 bits, or before the file is included: code as short as can be, without SIMD. */
#if !defined(@SMALL) && __SIZEOF_INT__ + 0 == 2
#define @SMALL
#endif

/* Where constants lie, such as PROGMEM, and how they are read there: pgm_read_byte, pgm_read_dword, pgm_read_float. */
#ifndef @MEMORY
#define @MEMORY
#endif
#ifndef @READ_8
#define @READ_8(address) (*(address))
#define @READ_32(address) (*(address))
#define @READ_FLOAT(address) (*(address))
#ifndef @SMALL
#define @WIDE_READS /* some at once */
#endif
#endif
#if defined(__ARM_FEATURE_SIMD32) && !defined(__ARM_BIG_ENDIAN) && defined(@WIDE_READS)
#define @DSP /* two products in an instruction */
#endif

/* The sum times multiplier / 2^(31 + shift), rounded as in gemmlowp. */
static inline int32_t $scale(int32_t sum, int32_t multiplier, uint8_t shift) {
#ifdef @SMALL
  /* Bit by bit, of the sum's size: without a product of 64 bits. */
  const uint32_t size = sum < 0 ? 0u - (uint32_t)sum : (uint32_t)sum;
  uint32_t high = sum < 0 ? 1073741823 : 1073741824;
  uint8_t i;
  for (i = 0; i < 31; ++i) {
    if (multiplier & 1) {
      high += size;
    }
    high >>= 1;
    multiplier >>= 1;
  }
  if (shift > 0) {
    high = ((high >> (shift - 1)) + 1) >> 1;
  }
  return sum < 0 ? -(int32_t)high : (int32_t)high;
#else
  const int32_t high = (int32_t)(((int64_t)sum * multiplier + 1073741824) >> 31);
  const int32_t mask = (int32_t)(((uint32_t)1 << shift) - 1u);
  return (high >> shift) + ((high & mask) > (mask >> 1) + (high < 0 ? 1 : 0) ? 1 : 0);
#endif
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
#elif !defined(__SSE2__) && !defined(__ARM_NEON) && !defined(@SMALL)
#define @IN_PAIRS /* without SIMD two rows share what they load */
#endif
#if defined(@DSP)
#define @ROWS 3 /* computed at once */
#define @WITH_REGISTERS static __attribute__((noinline, unused)) /* it needs all of them */
#elif defined(@SMALL)
#define @ROWS 1
#else
#define @ROWS 4
#define @WITH_REGISTERS static inline
#endif
)";

/// Products of a unit of inputs with one of weights, by x86-64's instructions: 64 numbers at once with VNNI where
/// inputs are bytes, else 16, as pairs of 16 bits. In a row's last unit some count as 0, so that nothing else is read.
inline constexpr std::string_view x86_begin = R"(
#if defined(__SSE2__) && defined(@WIDE_READS) && __STDC_HOSTED__ + 0 == 1
#include <immintrin.h> /* which asks for <stdlib.h> */

static inline __m128i $load_128(const void *from) { return _mm_loadu_si128((const __m128i *)from); }
)";
inline constexpr std::string_view x86_of_bytes = R"(#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define @UNIT 64
typedef __m512i $inputs;
typedef __m512i $sums;
#define @NO_SUMS _mm512_setzero_si512()
static inline $inputs $load_inputs(const $value *x, uint16_t i, uint16_t inputs) {
  return _mm512_maskz_loadu_epi8(inputs - i < 64 ? ((uint64_t)1 << (inputs - i)) - 1 : ~(uint64_t)0, x + i);
}
static inline $sums $add_products($sums sums, __m512i weights, $inputs x) {
  return _mm512_dpbusd_epi32(sums, x, weights);
}
static inline __m128i $four_sums($sums sums) {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
#endif
#define @LOW(x, mask) _mm_unpacklo_epi8(_mm_and_si128($load_128(x), mask), _mm_setzero_si128())
#define @HIGH(x, mask) _mm_unpackhi_epi8(_mm_and_si128($load_128(x), mask), _mm_setzero_si128())
#define @BOTH(x, mask) _mm256_cvtepu8_epi16(_mm_and_si128($load_128(x), mask))
)";
inline constexpr std::string_view x86_of_sums = R"(
#define @LOW(x, mask) _mm_and_si128($load_128(x), _mm_unpacklo_epi8(mask, mask))
#define @HIGH(x, mask) _mm_and_si128($load_128((x) + 8), _mm_unpackhi_epi8(mask, mask))
#define @BOTH(x, mask) \
  _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(const void *)(x)), _mm256_cvtepi8_epi16(mask))
)";
inline constexpr std::string_view x86_end = R"(
#ifndef @UNIT
#define @UNIT 16
static const uint8_t $mask[32] = {0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
                                  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
#ifdef __AVX2__
typedef __m256i $inputs;
typedef __m256i $sums;
#define @NO_SUMS _mm256_setzero_si256()
#else
typedef struct {
  __m128i low, high;
} $inputs;
typedef __m128i $sums;
#define @NO_SUMS _mm_setzero_si128()
#endif
static inline $inputs $load_inputs(const $value *x, uint16_t i, uint16_t inputs) {
  const int rest = inputs - i < 16 ? inputs - i : 16;
  const __m128i mask = $load_128($mask + rest);
#ifdef __AVX2__
  return @BOTH(x + i + rest - 16, mask);
#else
  $inputs v;
  v.low = @LOW(x + i + rest - 16, mask);
  v.high = @HIGH(x + i + rest - 16, mask);
  return v;
#endif
}
static inline $sums $add_products($sums sums, __m128i weights, $inputs x) {
#ifdef __AVX2__
  return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(weights), x));
#else
  const __m128i low = _mm_srai_epi16(_mm_unpacklo_epi8(weights, weights), 8);
  const __m128i high = _mm_srai_epi16(_mm_unpackhi_epi8(weights, weights), 8);
  return _mm_add_epi32(sums, _mm_add_epi32(_mm_madd_epi16(low, x.low), _mm_madd_epi16(high, x.high)));
#endif
}
static inline __m128i $four_sums($sums sums) {
#ifdef __AVX2__
  return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
#else
  return sums;
#endif
}
#endif
#endif
)";

/// Sums of rows by those products. Fewer inputs than a unit of 16 are left to the loop at the end.
inline constexpr std::string_view x86_dot = R"(
#ifdef @UNIT
static inline const $weight *$dot(const $value *x, uint16_t inputs, const $weight *w, uint8_t rows, int32_t *sums) {
  const uint16_t row = @ROW(inputs), end = @END(inputs);
  const $weight *w1 = w + (rows > 1 ? 1 : 0) * row;
  const $weight *w2 = w + (rows > 2 ? 2 : 0) * row;
  const $weight *w3 = w + (rows > 3 ? 3 : 0) * row;
  $sums s0 = @NO_SUMS, s1 = s0, s2 = s0, s3 = s0;
  __m128i a, b, c, d;
  uint16_t i;
  for (i = 0; i < end; i = (uint16_t)(i + @UNIT)) {
    const $inputs v = $load_inputs(x, i, inputs);
    s0 = $add_products(s0, $load_weights(w, i, inputs), v);
    s1 = $add_products(s1, $load_weights(w1, i, inputs), v);
    s2 = $add_products(s2, $load_weights(w2, i, inputs), v);
    s3 = $add_products(s3, $load_weights(w3, i, inputs), v);
  }
  a = _mm_unpacklo_epi32($four_sums(s0), $four_sums(s1));
  b = _mm_unpackhi_epi32($four_sums(s0), $four_sums(s1));
  c = _mm_unpacklo_epi32($four_sums(s2), $four_sums(s3));
  d = _mm_unpackhi_epi32($four_sums(s2), $four_sums(s3));
  a = _mm_add_epi32(a, b);
  c = _mm_add_epi32(c, d);
  a = _mm_add_epi32(_mm_unpacklo_epi64(a, c), _mm_unpackhi_epi64(a, c));
  _mm_storeu_si128((__m128i *)(void *)sums, a);
  for (; rows > 0; --rows, ++sums, w += row) {
    for (i = end; i < inputs; ++i) {
      *sums += @WEIGHT(w, i) * ($number)x[i];
    }
  }
  return w;
}
)";

/// Weights of 8 bits.
inline constexpr std::string_view weights_of_bytes = R"(
typedef int8_t $weight;
#define @EXTRA_BITS 0 /* of sums */
#define @ROW(inputs) (inputs) /* bytes of a row */
#ifdef @UNIT
#define @END(inputs) ((uint16_t)(inputs < 16 && @UNIT == 16 ? 0 : inputs)) /* of the units */
#define @WEIGHT(w, i) ((w)[i])
#if @UNIT == 64
static inline __m512i $load_weights(const $weight *w, uint16_t i, uint16_t inputs) {
  return _mm512_maskz_loadu_epi8(inputs - i < 64 ? ((uint64_t)1 << (inputs - i)) - 1 : ~(uint64_t)0, w + i);
}
#else
static inline __m128i $load_weights(const $weight *w, uint16_t i, uint16_t inputs) {
  return $load_128(w + (inputs - i < 16 ? inputs - 16 : i));
}
#endif
#endif
)";

/// Their sums: three rows, or two, share what they load.
inline constexpr std::string_view dot_of_bytes = R"(#elif defined(@SMALL)
/* The products of x and a row of weights. */
static __attribute__((noinline, unused)) int32_t $dot_row(const $value *x, uint16_t inputs, const $weight *w) {
  int32_t sum = 0;
  do {
    sum += (int8_t)@READ_8(w) * ($number)*x;
    ++w;
    ++x;
  } while (--inputs > 0);
  return sum;
}
#else
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
      const $value v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3]; /* GCC keeps them as they are loaded */
      s += (int8_t)@READ_8(w) * ($number)v0;
      t += (int8_t)@READ_8(b) * ($number)v0;
      s += (int8_t)@READ_8(w + 1) * ($number)v1;
      t += (int8_t)@READ_8(b + 1) * ($number)v1;
      s += (int8_t)@READ_8(w + 2) * ($number)v2;
      t += (int8_t)@READ_8(b + 2) * ($number)v2;
      s += (int8_t)@READ_8(w + 3) * ($number)v3;
      t += (int8_t)@READ_8(b + 3) * ($number)v3;
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
#endif
)";

/// Weights of 4 bits, in the order of packed_by_two.
inline constexpr std::string_view weights_of_nibbles = R"(
typedef uint8_t $weight;      /* two of them */
#ifdef @SMALL
#define @EXTRA_BITS 0 /* of sums */
#else
#define @EXTRA_BITS 4
#endif
#define @ROW(inputs) ((uint16_t)((inputs) / 8 * 4 + ((inputs) % 8 < 4 ? (inputs) % 8 : 4))) /* bytes of a row */

/* Two weights of a byte, each times 16. */
#define @BELOW(byte) ((int8_t)(uint8_t)((byte) << 4))
#define @ABOVE(byte) ((int8_t)(uint8_t)((byte) & 240u))
#ifdef @UNIT
#define @END(inputs) ((uint16_t)(@UNIT == 16 ? inputs / 16 * 16 : inputs)) /* of the units */
#define @WEIGHT(w, i) (i % 8 < 4 ? @BELOW((w)[i / 8 * 4 + i % 4]) : @ABOVE((w)[i / 8 * 4 + i % 4]))
#if @UNIT == 64
static inline __m512i $load_weights(const $weight *w, uint16_t i, uint16_t inputs) {
  const uint16_t bytes = @ROW(inputs - i);
  const __m512i words = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(
      _mm512_maskz_loadu_epi8(bytes < 32 ? ((uint64_t)1 << bytes) - 1 : ~(uint32_t)0, w + i / 2)));
  return _mm512_or_si512(_mm512_and_si512(_mm512_slli_epi64(words, 4), _mm512_set1_epi64(4042322160)),
                         _mm512_slli_epi64(_mm512_and_si512(words, _mm512_set1_epi64(4042322160)), 32));
}
#else
static inline __m128i $load_weights(const $weight *w, uint16_t i, uint16_t inputs) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)(w + i / 2));
  const __m128i mask = _mm_set1_epi8(-16);
  (void)inputs;
  return _mm_unpacklo_epi32(_mm_and_si128(_mm_slli_epi32(bytes, 4), mask), _mm_and_si128(bytes, mask));
}
#endif
#endif
)";

/// Their sums.
inline constexpr std::string_view dot_of_nibbles = R"(#elif defined(@SMALL)
/* The products of x and a row of weights. Those of eight inputs are added up apart: 16 bits hold them. */
static __attribute__((noinline, unused)) int32_t $dot_row(const $value *x, uint16_t inputs, const $weight *w) {
  int32_t sum = 0;
  for (;;) {
    $number of_eight = 0;
    uint8_t b;
    for (b = 0; b < 4 && inputs > 0; ++b) {
      const uint8_t byte = @READ_8(w);
      of_eight += (int8_t)(((byte & 15) ^ 8) - 8) * ($number)x[0];
      if (inputs > 4) {
        of_eight += (int8_t)(((byte >> 4) ^ 8) - 8) * ($number)x[4];
      }
      ++w;
      ++x;
      --inputs;
    }
    sum += of_eight;
    if (inputs <= 4) {
      return sum;
    }
    x += 4;
    inputs = (uint16_t)(inputs - 4);
  }
}
#else
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
#endif
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

#if defined(@UNIT) && defined(__AVX2__)
#define @SCALES_FOUR
/* Four rows of a layer's output, by the same rule. */
static inline void $scale_four($layer layer, uint16_t row, const int32_t *sums, $value *y) {
  const __m128i half = _mm_set1_epi64x(1073741824), multipliers = $load_128(layer.multipliers + row);
  const __m128i s = _mm_add_epi32(_mm_srai_epi32($load_128(sums), @EXTRA_BITS), $load_128(layer.biases + row));
  const __m128i even = _mm_add_epi64(_mm_mul_epi32(s, multipliers), half);
  const __m128i odd = _mm_add_epi64(_mm_mul_epi32(_mm_srli_epi64(s, 32), _mm_srli_epi64(multipliers, 32)), half);
  const __m128i high = _mm_blend_epi16(_mm_srli_epi64(even, 31), _mm_slli_epi64(_mm_srli_epi64(odd, 31), 32), 204);
  int32_t four;
  __m128i shifts, mask, limit, bytes;
  __builtin_memcpy(&four, layer.shifts + row, 4);
  shifts = _mm_cvtepu8_epi32(_mm_cvtsi32_si128(four));
  mask = _mm_sub_epi32(_mm_sllv_epi32(_mm_set1_epi32(1), shifts), _mm_set1_epi32(1));
  limit = _mm_add_epi32(_mm_srli_epi32(mask, 1), _mm_srli_epi32(high, 31));
  bytes = _mm_sub_epi32(_mm_srav_epi32(high, shifts), _mm_cmpgt_epi32(_mm_and_si128(high, mask), limit));
  bytes = _mm_add_epi32(bytes, _mm_set1_epi32(layer.zero));
  bytes = _mm_min_epi32(_mm_max_epi32(bytes, _mm_set1_epi32(layer.lowest)), _mm_set1_epi32(255));
  if (layer.table) {
    int32_t each[4];
    _mm_storeu_si128((__m128i *)(void *)each, bytes);
    for (four = 0; four < 4; ++four) {
      y[row + four] = layer.table[each[four]];
    }
    return;
  }
  bytes = _mm_packs_epi32(bytes, bytes);
  if (sizeof *y == 1) {
    bytes = _mm_packus_epi16(bytes, bytes);
  }
  __builtin_memcpy(y + row, &bytes, 4 * sizeof *y);
}
#endif

/* In short code a layer is given by its address; else by value, of which y cannot be a part. */
#ifdef @SMALL
#define @LAYER(layer) (&(layer))
static inline void $compute(const $layer *layer, const $value *x, $value *y) {
#else
#define @LAYER(layer) (layer)
static inline void $compute($layer of, const $value *x, $value *y) {
  const $layer *const layer = &of;
#endif
  const $weight *w = layer->weights;
  uint16_t row = 0;
  while (row < layer->outputs) {
    const uint8_t rows = (uint8_t)(layer->outputs - row < @ROWS ? layer->outputs - row : @ROWS);
    int32_t sums[@ROWS] = {0};
    uint8_t i;
#ifdef @SMALL
    sums[0] = $dot_row(x, layer->inputs, w);
    w += @ROW(layer->inputs);
#else
    w = $dot(x, layer->inputs, w, rows, sums);
#endif
#ifdef @SCALES_FOUR
    if (rows == 4) {
      $scale_four(*layer, row, sums, y);
      row = (uint16_t)(row + 4);
      continue;
    }
#endif
    for (i = 0; i < rows; ++i, ++row) {
      const int32_t sum = (sums[i] >> @EXTRA_BITS) + (int32_t)@READ_32(layer->biases + row);
      int32_t byte =
          $scale(sum, (int32_t)@READ_32(layer->multipliers + row), @READ_8(layer->shifts + row)) + layer->zero;
      byte = byte < layer->lowest ? layer->lowest : byte > 255 ? 255 : byte;
      if (layer->table) {
        byte = @READ_8(layer->table + byte);
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
