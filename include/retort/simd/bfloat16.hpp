// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// bfloat16 numbers (core/small_floats.hpp) in products, which take two at a time: a word of 32 bits holds two
/// neighbours along the depth of a product, the first in its lower half. Words take the place of floats in memory and
/// are then only moved.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

#if defined(__AVX512BF16__) && !defined(RETORT_PLAIN_SIMD)
#include <immintrin.h>
#endif

namespace retort::inline RETORT_INSTRUCTION_SET::simd {

/// Whether the target processor multiplies bfloat16 itself; else floats do it, with the same rounding of the factors.
inline constexpr bool has_bfloat16_products =
#if defined(__AVX512BF16__) && !defined(RETORT_PLAIN_SIMD)
    true;
#else
    false;
#endif

namespace detail {

#if defined(__AVX512BF16__) && !defined(RETORT_PLAIN_SIMD)
template <typename V>
inline constexpr bool multiplies_words = std::is_same_v<V, xsimd::batch<float>>;

/// (even[0], even[1], ..., odd[0], ...) as 32 halves.
RETORT_INLINE __m512i round_both(__m512 even, __m512 odd) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(odd, even));
}
#else
template <typename V>
inline constexpr bool multiplies_words = false;
#endif

inline float make_word(float low, float high) {
  return std::bit_cast<float>(std::uint32_t{internal::to_bfloat16(low)} | std::uint32_t{internal::to_bfloat16(high)}
                                                                              << 16);
}

/// The halves of the words, as floats.
template <bool high, typename V>
RETORT_INLINE V half_of(const V& words) {
  if constexpr (requires { typename V::register_type; }) {
    using Bits = xsimd::batch<std::uint32_t>;
    const auto bits = xsimd::bitwise_cast<Bits>(words);
    return xsimd::bitwise_cast<V>(high ? bits & Bits(0xFFFF0000u) : bits << 16);
  } else {
    return V::generate([&](std::size_t i) {
      const auto bits = std::bit_cast<std::uint32_t>(words[i]);
      return std::bit_cast<float>(high ? bits & 0xFFFF0000u : bits << 16);
    });
  }
}

}  // namespace detail

/// Words (even[i], odd[i]).
template <typename V>
RETORT_INLINE V pair_words(const V& even, const V& odd) {
#if defined(__AVX512BF16__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::multiplies_words<V>) {
    const __m512i from =
        _mm512_set_epi32(0x1F000F, 0x1E000E, 0x1D000D, 0x1C000C, 0x1B000B, 0x1A000A, 0x190009, 0x180008, 0x170007,
                         0x160006, 0x150005, 0x140004, 0x130003, 0x120002, 0x110001, 0x100000);
    return V(_mm512_castsi512_ps(_mm512_permutexvar_epi16(from, detail::round_both(even, odd))));
  }
#endif
  alignas(64) std::array<float, lanes<V>> low;
  alignas(64) std::array<float, lanes<V>> high;
  even.store_aligned(low.data());
  odd.store_aligned(high.data());
  for (std::size_t i = 0; i < lanes<V>; ++i) {
    low[i] = detail::make_word(low[i], high[i]);
  }
  return V::load_aligned(low.data());
}

/// Words (values[0], values[1]), (values[2], values[3]), ... of the elements of two vectors, one after the other.
template <typename V>
RETORT_INLINE V neighbour_words(const V& first, const V& second) {
#if defined(__AVX512BF16__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::multiplies_words<V>) {
    return V(_mm512_castsi512_ps(detail::round_both(first, second)));
  }
#endif
  alignas(64) std::array<float, 2 * lanes<V>> values;
  first.store_aligned(values.data());
  second.store_aligned(values.data() + lanes<V>);
  for (std::size_t i = 0; i < lanes<V>; ++i) {
    values[i] = detail::make_word(values[2 * i], values[2 * i + 1]);
  }
  return V::load_aligned(values.data());
}

/// words[i] = (values[2 i], values[2 i + 1]) for all `count` values, then zeros up to a whole vector of words.
template <typename V>
void write_neighbour_words(const float* values, std::size_t count, float* words) {
  for (std::size_t at = 0; at < count; at += 2 * lanes<V>, words += lanes<V>) {
    const std::size_t left = count - at;
    const V first = left >= lanes<V> ? load<V>(values + at) : load_partial<V>(values + at, left);
    V second(0.0f);
    if (left >= 2 * lanes<V>) {
      second = load<V>(values + at + lanes<V>);
    } else if (left > lanes<V>) {
      second = load_partial<V>(values + at + lanes<V>, left - lanes<V>);
    }
    neighbour_words(first, second).store_unaligned(words);
  }
}

/// A product's operation on words: sum + left.low * right.low + left.high * right.high, the factors exact in float, the
/// sums rounded as the processor rounds them.
struct MultiplyWords {
  template <typename V>
  RETORT_INLINE V operator()(const V& left, const V& right, const V& sum) const {
#if defined(__AVX512BF16__) && !defined(RETORT_PLAIN_SIMD)
    if constexpr (detail::multiplies_words<V>) {
      const auto words = [](__m512 values)
                             __attribute__((always_inline)) { return reinterpret_cast<__m512bh>(values); };
      return V(_mm512_dpbf16_ps(sum, words(left), words(right)));
    }
#endif
    return fma(detail::half_of<true>(left), detail::half_of<true>(right),
               fma(detail::half_of<false>(left), detail::half_of<false>(right), sum));
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
