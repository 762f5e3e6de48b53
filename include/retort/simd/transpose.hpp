#pragma once
/// @file
/// Transposition of matrices in memory, a square of registers at a time: as many rounds of interleaving row i with row
/// i + half as the square's side has bits.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::simd {

namespace detail {

template <typename V>
RETORT_INLINE void transpose_square(V (&rows)[lanes<V>]) {  // NOLINT(modernize-avoid-c-arrays)
  constexpr std::size_t half = lanes<V> / 2;
  unroll<std::bit_width(lanes<V>) - 1>([&](auto) __attribute__((always_inline)) {
    V mixed[lanes<V>];  // NOLINT(modernize-avoid-c-arrays)
    unroll<half>([&](auto i) __attribute__((always_inline)) {
      const auto [low, high] = zip(rows[i], rows[i + half]);
      mixed[2 * i] = low;
      mixed[2 * i + 1] = high;
    });
    unroll<lanes<V>>([&](auto i) __attribute__((always_inline)) { rows[i] = mixed[i]; });
  });
}

}  // namespace detail

/// A matrix in memory, row-major: row r begins at data + r * stride.
template <typename Scalar>
struct Rows {
  Scalar* data;
  std::size_t stride;
};

namespace detail {

/// A whole square from `source` to `target`.
template <typename V>
RETORT_NOINLINE void copy_transposed(const ScalarOf<V>* source, std::size_t from_stride, ScalarOf<V>* target,
                                     std::size_t to_stride) {
  V square[lanes<V>];  // NOLINT(modernize-avoid-c-arrays)
  unroll<lanes<V>>([&](auto i) __attribute__((always_inline)) { square[i] = load<V>(source + i * from_stride); });
  transpose_square(square);
  unroll<lanes<V>>([&](auto i) __attribute__((always_inline)) { square[i].store_unaligned(target + i * to_stride); });
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

/// A square of bytes: columns[c][r] = rows[r][first_column + c], of 16 rows.
RETORT_INLINE void transpose_bytes(const std::uint8_t* const* rows, std::size_t first_column,
                                   std::array<std::array<std::uint8_t, 16>, 16>& columns) {
  using Bytes [[gnu::vector_size(16)]] = std::uint8_t;
  Bytes square[16];  // NOLINT(modernize-avoid-c-arrays)
  detail::unroll<16>([&](auto i)
                         __attribute__((always_inline)) { __builtin_memcpy(&square[i], rows[i] + first_column, 16); });
  detail::unroll<4>([&](auto) __attribute__((always_inline)) {
    Bytes mixed[16];  // NOLINT(modernize-avoid-c-arrays)
    detail::unroll<8>([&](auto i) __attribute__((always_inline)) {
      mixed[2 * i] =
          __builtin_shufflevector(square[i], square[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      mixed[2 * i + 1] = __builtin_shufflevector(square[i], square[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                                 14, 30, 15, 31);
    });
    detail::unroll<16>([&](auto i) __attribute__((always_inline)) { square[i] = mixed[i]; });
  });
  detail::unroll<16>([&](auto i)
                         __attribute__((always_inline)) { __builtin_memcpy(columns[i].data(), &square[i], 16); });
}

}  // namespace retort::simd
