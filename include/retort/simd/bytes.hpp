#pragma once
/// @file
/// Bytes to numbers. xsimd converts between numbers of one size only, and g++ 12 makes scalar code of the obvious loop
/// wherever it is inlined, so the two common instruction sets are spelt out.

#include <cstddef>
#include <cstdint>

#include "retort/simd/vector.hpp"

#if defined(__AVX2__) && !defined(RETORT_PLAIN_SIMD)
#include <immintrin.h>
#endif

namespace retort::simd {

/// output[i] = bytes[i] * scale + offset for i < Count. Preconditions: 16 bytes may be read; no overlap.
template <std::size_t Count, typename Scalar>
inline void convert_bytes(const std::uint8_t* __restrict bytes, Scalar scale, Scalar offset,
                          Scalar* __restrict output) {
  static_assert(Count <= 16);
#if defined(__AVX2__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (Count == 16 && sizeof(Scalar) == 4) {
    const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
#ifdef __AVX512F__
    const Vector<float> values(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(packed)));
    fma(values, Vector<float>(scale), Vector<float>(offset)).store_unaligned(output);
#else
    const Vector<float> low(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(packed)));
    const Vector<float> high(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(packed, 8))));
    fma(low, Vector<float>(scale), Vector<float>(offset)).store_unaligned(output);
    fma(high, Vector<float>(scale), Vector<float>(offset)).store_unaligned(output + 8);
#endif
    return;
  }
#endif
  for (std::size_t i = 0; i < Count; ++i) {
    output[i] = static_cast<Scalar>(bytes[i]) * scale + offset;
  }
}

}  // namespace retort::simd
