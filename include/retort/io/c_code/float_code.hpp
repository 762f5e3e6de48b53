// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The C of a program in floating-point numbers, without its numbers. `$` stands for the file's prefix, `@` for that in
/// capitals (CNames), TYPE for the type of a Linear's inputs: uint8_t, uint16_t or float.

#include <string_view>

#include "retort/core/instruction_set.hpp"
#include "retort/core/require_cxx20.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

inline constexpr std::string_view weights_of_floats = R"(
typedef float $weight;

static inline float $widen($weight weight) { return weight; }
#define @WEIGHTS $vector
#define @WIDEN(weights) (weights)
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
#if @STRANDS == 16
typedef uint16_t @WEIGHTS __attribute__((vector_size(32)));
typedef uint32_t $words __attribute__((vector_size(64)));
#define @WIDEN(weights) (($vector)(__builtin_convertvector(weights, $words) << 16))
#endif
)";

/// Vectors of GCC and Clang, as wide as a row's strands.
inline constexpr std::string_view vectors_code = R"(
#if (defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 9)) && (defined(__SSE2__) || defined(__ARM_NEON))
#define @STRANDS 16 /* of a sum, in a vector of the compiler's */
typedef float $vector __attribute__((vector_size(64)));
#define @LOAD(v, from) __builtin_memcpy(&(v), (from), sizeof(v))
#else
#define @STRANDS 4
#endif
)";

/// Linear, for inputs of the type TYPE. Sums are in strands, which a SIMD register holds side by side.
inline constexpr std::string_view dense_code = R"(
/* y = b + scale times the products of x and each of `outputs` rows of w. b may be a null pointer. */
static inline void $dense_TYPE(const TYPE *x, uint16_t inputs, const $weight *w, float scale, const float *b,
                               uint16_t outputs, float *y) {
#if @STRANDS == 16
  typedef TYPE inputs_16 __attribute__((vector_size(16 * sizeof(TYPE))));
#endif
  uint16_t row = 0;
  while (row < outputs) {
    uint16_t i = 0, k, r;
#if @STRANDS == 16 /* Four rows at once. Where fewer are left, one is computed again, and dropped. */
    const uint16_t rows = (uint16_t)(outputs - row < 4 ? outputs - row : 4);
    const $weight *w1 = w + (rows > 1 ? 1 : 0) * inputs;
    const $weight *w2 = w + (rows > 2 ? 2 : 0) * inputs;
    const $weight *w3 = w + (rows > 3 ? 3 : 0) * inputs;
    float sums[4][@STRANDS];
    $vector v[4] = {{0.0f}, {0.0f}, {0.0f}, {0.0f}};
    for (; inputs - i >= @STRANDS; i = (uint16_t)(i + @STRANDS)) {
      inputs_16 as_stored;
      $vector v_x;
      @WEIGHTS of[4];
      @LOAD(as_stored, x + i);
      @LOAD(of[0], w + i);
      @LOAD(of[1], w1 + i);
      @LOAD(of[2], w2 + i);
      @LOAD(of[3], w3 + i);
      v_x = __builtin_convertvector(as_stored, $vector);
      v[0] += @WIDEN(of[0]) * v_x;
      v[1] += @WIDEN(of[1]) * v_x;
      v[2] += @WIDEN(of[2]) * v_x;
      v[3] += @WIDEN(of[3]) * v_x;
    }
    __builtin_memcpy(sums, v, sizeof sums);
#else
    const uint16_t rows = 1;
    float sums[1][@STRANDS] = {{0.0f}};
    for (; inputs - i >= @STRANDS; i = (uint16_t)(i + @STRANDS)) {
      for (k = 0; k < @STRANDS; ++k) {
        sums[0][k] += $widen(w[i + k]) * (float)x[i + k];
      }
    }
#endif
    for (r = 0; r < rows; ++r, ++row, w += inputs) {
      uint16_t j;
      for (j = i, k = 0; j < inputs; ++j, ++k) {
        sums[r][k] += $widen(w[j]) * (float)x[j];
      }
      for (k = @STRANDS / 2; k > 0; k = (uint16_t)(k / 2)) {
        for (j = 0; j < k; ++j) {
          sums[r][j] += sums[r][j + k];
        }
      }
      y[row] = sums[r][0] * scale + (b ? b[row] : 0.0f);
    }
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
    x[i] = (x[i] - mean) * variance * weight[i] + bias[i];
  }
}
)";

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
