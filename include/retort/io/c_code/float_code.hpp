// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The C of a program in floating-point numbers, without its numbers. `$` stands for the file's prefix, `@` for that in
/// capitals (CNames), TYPE for the type of a Linear's inputs: uint8_t, uint16_t, uint32_t or float.

#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

/// Where constants lie, and how they are read.
inline constexpr std::string_view float_beginning = R"(
/* Where constants lie, such as PROGMEM, and how they are read there: pgm_read_word, pgm_read_float. */
#ifndef @MEMORY
#define @MEMORY
#endif
#ifndef @READ_FLOAT
#define @READ_16(address) (*(address))
#define @READ_FLOAT(address) (*(address))
#define @WIDE_READS /* some at once */
#endif
)";

inline constexpr std::string_view weights_of_floats = R"(
typedef float $weight;
#define @WEIGHT(address) @READ_FLOAT(address)
#ifdef @STRANDS
typedef $vector $weights;
typedef $four $four_weights;
#define @WIDEN(weights) (weights)
#define @WIDEN_FOUR(weights) (weights)
#endif
)";

inline constexpr std::string_view weights_of_bfloat16 = R"(
typedef uint16_t $weight; /* the upper half of a float's bits */

static inline float $widen($weight weight) {
  union {
    uint32_t bits;
    float value;
  } number;
  number.bits = (uint32_t)weight << 16;
  return number.value;
}
#define @WEIGHT(address) $widen(@READ_16(address))
#ifdef @STRANDS
typedef uint16_t $weights __attribute__((vector_size(2 * @STRANDS)));
typedef uint32_t $bits __attribute__((vector_size(4 * @STRANDS)));
typedef uint16_t $four_weights __attribute__((vector_size(8)));
#define @WIDEN(weights) (($vector)(__builtin_convertvector(weights, $bits) << 16))
#define @WIDEN_FOUR(weights) (($four)(__builtin_convertvector(weights, $four_words) << 16))
#endif
)";

/// Vectors of GCC and Clang.
inline constexpr std::string_view vectors_code = R"(
#if (defined(__clang__) || __GNUC__ + 0 >= 9) && (defined(__SSE2__) || defined(__ARM_NEON)) && \
    defined(@WIDE_READS)
#if defined(__AVX512F__)
#define @STRANDS 16 /* of a sum, side by side in a vector of the compiler's */
#elif defined(__AVX__)
#define @STRANDS 8
#else
#define @STRANDS 4
#endif
/* Where a vector is loaded from. */
#define @ALIGNED __attribute__((aligned(4 * @STRANDS)))
typedef float $vector __attribute__((vector_size(4 * @STRANDS)));
typedef int32_t $words __attribute__((vector_size(4 * @STRANDS)));
typedef int16_t $halves __attribute__((vector_size(2 * @STRANDS)));
typedef float $four __attribute__((vector_size(16)));
typedef uint32_t $four_words __attribute__((vector_size(16)));
#define @LOAD(v, from) __builtin_memcpy(&(v), (from), sizeof(v))
/* Step by step, which GCC needs. */
#define @FROM_float(v) (v)
#define @FROM_uint32_t(v) __builtin_convertvector(v, $vector)
#define @FROM_uint16_t(v) __builtin_convertvector(__builtin_convertvector(v, $words), $vector)
#define @FROM_uint8_t(v) @FROM_uint16_t(__builtin_convertvector(v, $halves))

/* The sums of four vectors' elements. */
static inline $four $sums_of_four($four a, $four b, $four c, $four d) {
  $four ab, cd;
#ifdef __clang__
#define @PICK(x, y, i, j, k, l, name) __builtin_shufflevector(x, y, i, j, k, l)
#else
  const int32_t low __attribute__((vector_size(16))) = {0, 4, 1, 5};
  const int32_t high __attribute__((vector_size(16))) = {2, 6, 3, 7};
  const int32_t first __attribute__((vector_size(16))) = {0, 1, 4, 5};
  const int32_t second __attribute__((vector_size(16))) = {2, 3, 6, 7};
#define @PICK(x, y, i, j, k, l, name) __builtin_shuffle(x, y, name)
#endif
  ab = @PICK(a, b, 0, 4, 1, 5, low) + @PICK(a, b, 2, 6, 3, 7, high);
  cd = @PICK(c, d, 0, 4, 1, 5, low) + @PICK(c, d, 2, 6, 3, 7, high);
  return @PICK(ab, cd, 0, 1, 4, 5, first) + @PICK(ab, cd, 2, 3, 6, 7, second);
}
#else
#define @ALIGNED
#endif
)";

/// Linear, for inputs of the type TYPE. Sums are in strands, which a SIMD register holds side by side.
inline constexpr std::string_view dense_code = R"(
/* y = b + scale times the products of x and each of `outputs` rows of w, or 0 if it is less and relu is not 0. b may be
   a null pointer. */
static inline void $dense_TYPE(const TYPE *x, uint16_t inputs, const $weight *w, float scale, const float *b,
                               uint16_t outputs, int relu, float *y) {
  uint16_t row = 0;
#ifdef @STRANDS
  typedef TYPE inputs_of_vector __attribute__((vector_size(@STRANDS * sizeof(TYPE))));
  while (outputs >= 4 && row < outputs) { /* Four rows at once. Where fewer are left, some are computed again. */
    const uint16_t first = (uint16_t)(outputs - row < 4 ? outputs - 4 : row);
    const $weight *w0 = w + (uint32_t)first * inputs, *w1 = w0 + inputs, *w2 = w1 + inputs, *w3 = w2 + inputs;
    $four s[4] = {{0.0f}, {0.0f}, {0.0f}, {0.0f}}, sums;
    uint16_t i = 0, r;
    if (inputs >= 2 * @STRANDS) {
      $vector v[4] = {{0.0f}, {0.0f}, {0.0f}, {0.0f}};
      for (; inputs - i >= @STRANDS; i = (uint16_t)(i + @STRANDS)) {
        inputs_of_vector as_stored;
        $vector v_x;
        $weights of[4];
        @LOAD(as_stored, x + i);
        @LOAD(of[0], w0 + i);
        @LOAD(of[1], w1 + i);
        @LOAD(of[2], w2 + i);
        @LOAD(of[3], w3 + i);
        v_x = @FROM_TYPE(as_stored);
        v[0] += @WIDEN(of[0]) * v_x;
        v[1] += @WIDEN(of[1]) * v_x;
        v[2] += @WIDEN(of[2]) * v_x;
        v[3] += @WIDEN(of[3]) * v_x;
      }
      for (r = 0; r < 4; ++r) {
        $four parts[@STRANDS / 4];
        __builtin_memcpy(parts, &v[r], sizeof parts);
#if @STRANDS == 16
        s[r] = (parts[0] + parts[1]) + (parts[2] + parts[3]);
#elif @STRANDS == 8
        s[r] = parts[0] + parts[1];
#else
        s[r] = parts[0];
#endif
      }
    }
    for (; inputs - i >= 4; i = (uint16_t)(i + 4)) {
      const $four v_x = {(float)x[i], (float)x[i + 1], (float)x[i + 2], (float)x[i + 3]};
      $four_weights of[4];
      @LOAD(of[0], w0 + i);
      @LOAD(of[1], w1 + i);
      @LOAD(of[2], w2 + i);
      @LOAD(of[3], w3 + i);
      s[0] += @WIDEN_FOUR(of[0]) * v_x;
      s[1] += @WIDEN_FOUR(of[1]) * v_x;
      s[2] += @WIDEN_FOUR(of[2]) * v_x;
      s[3] += @WIDEN_FOUR(of[3]) * v_x;
    }
    sums = $sums_of_four(s[0], s[1], s[2], s[3]);
    for (; i < inputs; ++i) {
      const $four column = {@WEIGHT(w0 + i), @WEIGHT(w1 + i), @WEIGHT(w2 + i), @WEIGHT(w3 + i)};
      sums += column * (float)x[i];
    }
    sums *= scale;
    if (b) {
      $four biases;
      @LOAD(biases, b + first);
      sums += biases;
    }
    if (relu) {
      const $four zero = {0.0f, 0.0f, 0.0f, 0.0f};
      sums = ($four)(($four_words)sums & ~($four_words)(sums < zero));
    }
    __builtin_memcpy(y + first, &sums, sizeof sums);
    row = (uint16_t)(first + 4);
  }
#endif
  for (; row < outputs; ++row) {
    const $weight *of_row = w + (uint32_t)row * inputs;
    float sums[4] = {0.0f};
    uint16_t i, k;
    for (i = 0; inputs - i >= 4; i = (uint16_t)(i + 4)) {
      for (k = 0; k < 4; ++k) {
        sums[k] += @WEIGHT(of_row + (i + k)) * (float)x[i + k];
      }
    }
    for (k = 0; i < inputs; ++i, ++k) {
      sums[k] += @WEIGHT(of_row + i) * (float)x[i];
    }
    sums[0] = ((sums[0] + sums[2]) + (sums[1] + sums[3])) * scale + (b ? @READ_FLOAT(b + row) : 0.0f);
    y[row] = relu && sums[0] < 0.0f ? 0.0f : sums[0];
  }
}
)";

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias.
inline constexpr std::string_view layer_norm_code = R"(
static inline void $layer_norm(float *x, uint16_t count, float epsilon, const float *weight, const float *bias) {
  float mean = 0.0f, variance = 0.0f;
  uint16_t i;
  for (i = 0; i < count; ++i) {
    mean += x[i];
  }
  mean /= (float)count;
  for (i = 0; i < count; ++i) {
    variance += (x[i] - mean) * (x[i] - mean);
  }
  variance = 1.0f / sqrtf(variance / (float)count + epsilon);
  for (i = 0; i < count; ++i) {
    x[i] = (x[i] - mean) * variance * @READ_FLOAT(weight + i) + @READ_FLOAT(bias + i);
  }
}
)";

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
