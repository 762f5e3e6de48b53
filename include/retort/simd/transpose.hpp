// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Transposition of matrices in memory, a square at a time. Loads put parts of several rows side by side in a register,
/// and most of what is left to shuffle then stays within 16 bytes: less work than in whole registers, and cheaper.

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

/// Bytes side by side in registers.
template <std::size_t Count>
struct PackedBytes {
  using type [[gnu::vector_size(Count)]] = std::uint8_t;
};

namespace detail {

template <std::size_t Count>
using Packed = typename PackedBytes<Count>::type;

/// Parts of Bytes side by side; address(i) is where that part is in memory.
template <std::size_t Parts, std::size_t Bytes, typename Address>
RETORT_INLINE Packed<Parts * Bytes> load_parts(const Address& address) {
  if constexpr (Parts == 1) {
    Packed<Bytes> bytes;
    __builtin_memcpy(&bytes, address(0), Bytes);
    return bytes;
  } else {
    constexpr std::size_t half = Parts / 2;
    const auto first = load_parts<half, Bytes>(address);
    const auto second = load_parts<half, Bytes>([&](std::size_t i) { return address(half + i); });
    return [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
      return __builtin_shufflevector(first, second, static_cast<int>(I)...);
    }(std::make_index_sequence<Parts * Bytes>{});
  }
}

/// Within so many bytes shuffling is cheap.
inline constexpr std::size_t block_bytes = 16;

/// Transposes squares, of which block b of each of the Side registers makes one: as many rounds of interleaving row i
/// with row i + half as the side has bits.
template <std::size_t Side, typename Register>
RETORT_INLINE void transpose_blocks(Register* rows) {
  constexpr std::size_t half = Side / 2;
  unroll<std::bit_width(Side) - 1>([&](auto) __attribute__((always_inline)) {
    Register mixed[Side];  // NOLINT(modernize-avoid-c-arrays)
    unroll<half>([&](std::size_t i) __attribute__((always_inline)) {
      mixed[2 * i] = interleave<false, Side, 1>(rows[i], rows[i + half]);
      mixed[2 * i + 1] = interleave<true, Side, 1>(rows[i], rows[i + half]);
    });
    unroll<Side>([&](std::size_t i) __attribute__((always_inline)) { rows[i] = mixed[i]; });
  });
}

/// A whole square from `source` to `target`, `part` columns at a time: a block or two.
template <typename V>
RETORT_NOINLINE void copy_transposed(const ScalarOf<V>* source, std::size_t from_stride, ScalarOf<V>* target,
                                     std::size_t to_stride) {
  using Register = typename V::register_type;
  constexpr std::size_t block = block_bytes / sizeof(ScalarOf<V>);
  constexpr std::size_t part = std::max(block, lanes<V> / 2);
  static_assert(part == block || part == 2 * block);
  unroll<lanes<V> / part>([&](std::size_t group) __attribute__((always_inline)) {
    const std::size_t first = group * part;
    Register square[part];  // NOLINT(modernize-avoid-c-arrays)
    unroll<part>([&](std::size_t i) __attribute__((always_inline)) {
      square[i] = reinterpret_cast<Register>(load_parts<lanes<V> / part, part * sizeof(ScalarOf<V>)>(
          [&](std::size_t p) { return source + (i + p * part) * from_stride + first; }));
    });
    unroll<part / block>([&](std::size_t p)
                             __attribute__((always_inline)) { transpose_blocks<block>(square + p * block); });
    unroll<block>([&](std::size_t i) __attribute__((always_inline)) {
      ScalarOf<V>* to = target + (first + i) * to_stride;
      if constexpr (part == block) {
        V(square[i]).store_unaligned(to);
      } else {
        V(interleave<false, part, block>(square[i], square[i + block])).store_unaligned(to);
        V(interleave<true, part, block>(square[i], square[i + block])).store_unaligned(to + block * to_stride);
      }
    });
  });
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
      if constexpr (detail::is_register<V>) {
        if (height == lanes<V> && width == lanes<V>) {
          detail::copy_transposed<V>(source, from.stride, target, to.stride);
          continue;
        }
      }
      for (std::size_t i = 0; i < height; ++i) {
        for (std::size_t j = 0; j < width; ++j) {
          target[j * to.stride + i] = source[i * from.stride + j];
        }
      }
    }
  }
}

/// Transposes Squares (1, 2 or 4) squares of bytes below one another, each of 16 rows from `first_column` on: calls
/// write(c, bytes) for each of the 16 columns, with its 16 * Squares bytes in a PackedBytes.
template <std::size_t Squares, typename Write>
RETORT_INLINE void transpose_bytes(const std::uint8_t* const* rows, std::size_t first_column, const Write& write) {
  detail::Packed<16 * Squares> square[16];  // NOLINT(modernize-avoid-c-arrays)
  detail::unroll<16>([&](std::size_t i) __attribute__((always_inline)) {
    square[i] = detail::load_parts<Squares, 16>([&](std::size_t part) { return rows[16 * part + i] + first_column; });
  });
  detail::transpose_blocks<16>(square);
  detail::unroll<16>([&](std::size_t i) __attribute__((always_inline)) { write(i, square[i]); });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
