// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Bytes as numbers in registers. xsimd converts between numbers of one size only, so the common instruction sets are
/// spelt out.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "retort/core/instruction_set.hpp"
#include "retort/simd/vector.hpp"

#if defined(__SSE2__) && !defined(RETORT_PLAIN_SIMD)
#include <immintrin.h>
#endif

namespace retort::inline RETORT_INSTRUCTION_SET::simd {

namespace detail {

#if !defined(RETORT_PLAIN_SIMD) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
template <typename V>
inline constexpr bool is_float_register = std::is_same_v<V, xsimd::batch<float>>;
#else
template <typename V>
inline constexpr bool is_float_register = false;
#endif

template <typename Bits>
Bits load_bits(const std::uint8_t* bytes) {
  Bits bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return bits;
}

}  // namespace detail

/// lanes<V> bytes as numbers.
template <typename V>
inline V load_bytes(const std::uint8_t* bytes) {
#if defined(__SSE2__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::is_float_register<V>) {
#if defined(__AVX512F__)
    // The mask keeps all lanes: without one g++ 12 warns of the lanes that the intrinsics leave undefined.
    constexpr __mmask16 all = 0xFFFF;
    const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    return V(_mm512_maskz_cvtepi32_ps(all, _mm512_maskz_cvtepu8_epi32(all, packed)));
#elif defined(__AVX2__)
    return V(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(detail::load_bits<std::int64_t>(bytes)))));
#elif !defined(__AVX__)
    const __m128i zero = _mm_setzero_si128();
    const __m128i packed = _mm_cvtsi32_si128(detail::load_bits<std::int32_t>(bytes));
    return V(_mm_cvtepi32_ps(_mm_unpacklo_epi16(_mm_unpacklo_epi8(packed, zero), zero)));
#endif
  }
#elif defined(__aarch64__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::is_float_register<V>) {
    const auto packed = vreinterpret_u8_u32(vdup_n_u32(detail::load_bits<std::uint32_t>(bytes)));
    return V(vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(packed)))));
  }
#endif
  alignas(64) std::array<ScalarOf<V>, lanes<V>> values;
  for (std::size_t i = 0; i < lanes<V>; ++i) {
    values[i] = static_cast<ScalarOf<V>>(bytes[i]);
  }
  return V::load_aligned(values.data());
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
