// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Transposition of matrices in memory, a square of registers at a time: as many rounds of interleaving row i with row
/// i + half as the square's side has bits.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/unroll.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::simd {

namespace detail {

template <typename V>
RETORT_INLINE void transpose_square(V (&rows)[lanes<V>]) {  // NOLINT(modernize-avoid-c-arrays)
  constexpr std::size_t half = lanes<V> / 2;
  unroll<std::bit_width(lanes<V>) - 1>([&](auto) __attribute__((always_inline)) {
    V mixed[lanes<V>];  // NOLINT(modernize-avoid-c-arrays)
    unroll<half>([&](std::size_t i) __attribute__((always_inline)) {
      const auto [low, high] = zip(rows[i], rows[i + half]);
      mixed[2 * i] = low;
      mixed[2 * i + 1] = high;
    });
    unroll<lanes<V>>([&](std::size_t i) __attribute__((always_inline)) { rows[i] = mixed[i]; });
  });
}

/// A whole square from `source` to `target`.
template <typename V>
RETORT_NOINLINE void copy_transposed(const ScalarOf<V>* source, std::size_t from_stride, ScalarOf<V>* target,
                                     std::size_t to_stride) {
  V square[lanes<V>];  // NOLINT(modernize-avoid-c-arrays)
  unroll<lanes<V>>([&](std::size_t i)
                       __attribute__((always_inline)) { square[i] = load<V>(source + i * from_stride); });
  transpose_square(square);
  unroll<lanes<V>>([&](std::size_t i)
                       __attribute__((always_inline)) { square[i].store_unaligned(target + i * to_stride); });
}

}  // namespace detail

/// to(c, r) = from(r, c) for from (rows, columns). They do not overlap.
template <typename V>
void transpose(Rows<const ScalarOf<V>> from, std::size_t rows, std::size_t columns, Rows<ScalarOf<V>> to) {
  for (std::size_t r = 0; r < rows; r += lanes<V>) {
    const std::size_t height = std::min(lanes<V>, rows - r);
    for (std::size_t c = 0; c < columns; c += lanes<V>) {
      const std::size_t width = std::min(lanes<V>, columns - c);
      const ScalarOf<V>* source = from.data + r * from.stride + c;
      ScalarOf<V>* target = to.data + c * to.stride + r;
      if (height == lanes<V> && width == lanes<V>) {
        detail::copy_transposed<V>(source, from.stride, target, to.stride);
        continue;
      }
      for (std::size_t i = 0; i < height; ++i) {
        for (std::size_t j = 0; j < width; ++j) {
          target[j * to.stride + i] = source[i * from.stride + j];
        }
      }
    }
  }
}

/// Bytes side by side in registers.
template <std::size_t Count>
struct PackedBytes {
  using type [[gnu::vector_size(Count)]] = std::uint8_t;
};

namespace detail {

template <std::size_t Count>
using Packed = typename PackedBytes<Count>::type;

/// The bytes of two vectors, one after the other.
template <std::size_t Count>
RETORT_INLINE Packed<2 * Count> concatenate(const Packed<Count>& first, const Packed<Count>& second) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(first, second, static_cast<int>(I)...);
  }(std::make_index_sequence<2 * Count>{});
}

/// The bytes of both vectors by turns, within each sixteen of them: those of their lower or their upper halves.
template <bool high, std::size_t Count>
RETORT_INLINE Packed<Count> interleave(const Packed<Count>& first, const Packed<Count>& second) {
  constexpr auto index = [](std::size_t i) {
    return static_cast<int>(i / 16 * 16 + i % 16 / 2 + (high ? 8 : 0) + (i % 2 == 0 ? 0 : Count));
  };
  return [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(first, second, index(I)...);
  }(std::make_index_sequence<Count>{});
}

/// Sixteen bytes of each of Squares rows, sixteen rows apart.
template <std::size_t Squares>
RETORT_INLINE Packed<16 * Squares> load_rows(const std::uint8_t* const* rows, std::size_t column) {
  if constexpr (Squares == 1) {
    Packed<16> bytes;
    __builtin_memcpy(&bytes, rows[0] + column, 16);
    return bytes;
  } else {
    return concatenate<8 * Squares>(load_rows<Squares / 2>(rows, column),
                                    load_rows<Squares / 2>(rows + 8 * Squares, column));
  }
}

}  // namespace detail

/// Transposes Squares (1, 2 or 4) squares of bytes below one another, each of 16 rows from `first_column` on: calls
/// write(c, bytes) for each of the 16 columns, with its 16 * Squares bytes in a PackedBytes.
template <std::size_t Squares, typename Write>
RETORT_INLINE void transpose_bytes(const std::uint8_t* const* rows, std::size_t first_column, const Write& write) {
  using Bytes = detail::Packed<16 * Squares>;
  Bytes square[16];  // NOLINT(modernize-avoid-c-arrays)
  detail::unroll<16>([&](std::size_t i) __attribute__((always_inline)) {
    square[i] = detail::load_rows<Squares>(rows + i, first_column);
  });
  detail::unroll<4>([&](auto) __attribute__((always_inline)) {
    Bytes mixed[16];  // NOLINT(modernize-avoid-c-arrays)
    detail::unroll<8>([&](std::size_t i) __attribute__((always_inline)) {
      mixed[2 * i] = detail::interleave<false, 16 * Squares>(square[i], square[i + 8]);
      mixed[2 * i + 1] = detail::interleave<true, 16 * Squares>(square[i], square[i + 8]);
    });
    detail::unroll<16>([&](std::size_t i) __attribute__((always_inline)) { square[i] = mixed[i]; });
  });
  detail::unroll<16>([&](std::size_t i) __attribute__((always_inline)) { write(i, square[i]); });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
