// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The SIMD register of this compilation, `simd::Vector<Scalar>`: xsimd's batch for the instruction set that the
/// compiler targets, or a PlainVector if xsimd has none (or RETORT_PLAIN_SIMD is defined). Kernels take the vector as a
/// template argument, so that two instruction sets in one program never share a function.

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/core/quiet_intrinsics.hpp"
#include "retort/simd/plain_vector.hpp"
#include "retort/simd/unroll.hpp"

// Where all numbers are taken for finite (-ffast-math), a comparison with infinity may have any result: of clang 19 a
// logarithm was 0.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ && !defined(XSIMD_NO_INFINITIES)
#define XSIMD_NO_INFINITIES
#endif
RETORT_QUIET_INTRINSICS_BEGIN
#include <xsimd/xsimd.hpp>
RETORT_QUIET_INTRINSICS_END

namespace retort::inline RETORT_INSTRUCTION_SET::simd {

#if defined(RETORT_PLAIN_SIMD) || defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
template <typename Scalar>
using Vector = PlainVector<Scalar, 4>;
#else
template <typename Scalar>
using Vector = xsimd::batch<Scalar>;
#endif

template <typename V>
using ScalarOf = typename V::value_type;

/// Elements of a vector.
template <typename V>
inline constexpr std::size_t lanes = V::size;

/// Whether the processor has 32 vector registers (AVX-512, 64-bit ARM) or 16: a kernel's tile is made to fit.
template <typename V>
inline constexpr bool has_many_registers =
#ifdef __aarch64__
    true;
#else
    sizeof(V) >= 64;
#endif

/// What Vector was compiled to, by xsimd's name ("avx512bw", "avx2", "neon64", ...; "plain C++"), and a hint if the
/// build will be slow.
inline std::string describe_build() {
#if defined(RETORT_PLAIN_SIMD) || defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
  std::string text = "plain C++";
#else
  std::string text = xsimd::default_arch::name();
#endif
#ifndef __OPTIMIZE__
  text += " (not optimised: compile with -O3)";
#elif defined(__x86_64__) && !defined(__AVX2__)
  text += " (for any x86-64: compile with -march=native for this processor)";
#endif
  return text;
}

template <typename V>
V load(const ScalarOf<V>* values) {
  return V::load_unaligned(values);
}

namespace detail {

/// AVX-512 loads and stores part of a register in one instruction, which xsimd does not offer.
template <typename V>
inline constexpr bool has_masks =
#if defined(__AVX512F__) && !defined(RETORT_PLAIN_SIMD)
    std::is_same_v<V, xsimd::batch<float>> || std::is_same_v<V, xsimd::batch<double>>;
#else
    false;
#endif

}  // namespace detail

/// The first `count` elements, then zeros. Precondition: count <= lanes<V>.
template <typename V>
V load_partial(const ScalarOf<V>* values, std::size_t count) {
#if defined(__AVX512F__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::has_masks<V>) {
    if constexpr (sizeof(ScalarOf<V>) == 4) {
      return V(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), values));
    } else {
      return V(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), values));
    }
  }
#endif
  alignas(64) std::array<ScalarOf<V>, lanes<V>> padded{};
  for (std::size_t i = 0; i < count; ++i) {
    padded[i] = values[i];
  }
  return V::load_aligned(padded.data());
}

/// The same, in one instruction if `count` is all of them.
template <typename V>
V load(const ScalarOf<V>* values, std::size_t count) {
  return count == lanes<V> ? load<V>(values) : load_partial<V>(values, count);
}

template <typename V>
void store_partial(const V& vector, ScalarOf<V>* values, std::size_t count) {
#if defined(__AVX512F__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::has_masks<V>) {
    if constexpr (sizeof(ScalarOf<V>) == 4) {
      _mm512_mask_storeu_ps(values, static_cast<__mmask16>((1u << count) - 1), vector);
    } else {
      _mm512_mask_storeu_pd(values, static_cast<__mmask8>((1u << count) - 1), vector);
    }
    return;
  }
#endif
  alignas(64) std::array<ScalarOf<V>, lanes<V>> padded;
  vector.store_aligned(padded.data());
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = padded[i];
  }
}

/// The first `count` elements, in one instruction if that is all of them.
template <typename V>
void store(const V& vector, ScalarOf<V>* values, std::size_t count) {
  if (count == lanes<V>) {
    vector.store_unaligned(values);
  } else {
    store_partial(vector, values, count);
  }
}

/// The first `count` elements of a vector, then zeros.
template <typename V>
V first_elements(const V& vector, std::size_t count) {
#if defined(__AVX512F__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::has_masks<V>) {
    if constexpr (sizeof(ScalarOf<V>) == 4) {
      return V(_mm512_maskz_mov_ps(static_cast<__mmask16>((1u << count) - 1), vector));
    } else {
      return V(_mm512_maskz_mov_pd(static_cast<__mmask8>((1u << count) - 1), vector));
    }
  }
#endif
  alignas(64) std::array<ScalarOf<V>, lanes<V>> elements;
  vector.store_aligned(elements.data());
  return load_partial<V>(elements.data(), count);
}

/// Calls function(position, count) over [0, size): count is lanes<V>, or less for the last. The position counts from 0.
template <typename V, typename Function>
void for_each_vector(std::size_t size, const Function& function) {
  std::size_t at = 0;
  for (; at + lanes<V> <= size; at += lanes<V>) {
    function(at, lanes<V>);
  }
  if (at < size) {
    function(at, size - at);
  }
}

namespace detail {

/// Which element of two vectors, one after the other, is element i of both by turns, `Run` neighbours at a time, within
/// each Part elements: those of their lower or of their higher halves.
template <bool high, std::size_t Elements, std::size_t Part, std::size_t Run>
constexpr int interleaved_index(std::size_t i) {
  const std::size_t within = i % Part / (2 * Run) * Run + i % Run + (high ? Part / 2 : 0);
  return static_cast<int>(i / Part * Part + within + (i / Run % 2 == 0 ? 0 : Elements));
}

/// By the compilers' own shuffle: xsimd's zip interleaves whole registers on some instruction sets, parts on others.
template <bool high, std::size_t Part, std::size_t Run, typename Register>
RETORT_INLINE Register interleave(const Register& left, const Register& right) {
  constexpr std::size_t elements = sizeof(Register) / sizeof(left[0]);
  return [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(left, right, interleaved_index<high, elements, Part, Run>(I)...);
  }(std::make_index_sequence<elements>{});
}

/// Whether a vector is a register, which compilers shuffle.
template <typename V>
inline constexpr bool is_register = requires { typename V::register_type; };

template <bool high, typename V>
RETORT_INLINE V zip_half(const V& left, const V& right) {
  if constexpr (is_register<V>) {
    using Register = typename V::register_type;
    return V(interleave<high, lanes<V>, 1>(static_cast<Register>(left), static_cast<Register>(right)));
  } else {
    return V::generate([&](std::size_t i) {
      const auto index = static_cast<std::size_t>(interleaved_index<high, lanes<V>, lanes<V>, 1>(i));
      return index < lanes<V> ? left[index] : right[index - lanes<V>];
    });
  }
}

}  // namespace detail

/// (l0, r0, l1, r1, ...): its first half and its second.
template <typename V>
std::pair<V, V> zip(const V& left, const V& right) {
  return {detail::zip_half<false>(left, right), detail::zip_half<true>(left, right)};
}

/// (v0, v1, v0, v1, ...)
template <typename V>
V load_pair(const ScalarOf<V>* values) {
#if defined(__AVX512F__) && !defined(RETORT_PLAIN_SIMD)
  if constexpr (detail::has_masks<V>) {
    if constexpr (sizeof(ScalarOf<V>) == 4) {
      return V(_mm512_castsi512_ps(_mm512_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(values)))));
    } else {
      return V(_mm512_broadcast_f64x2(_mm_loadu_pd(values)));
    }
  }
#endif
  return zip(V(values[0]), V(values[1])).first;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
