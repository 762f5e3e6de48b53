// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Register tiles: the inner loops of every product. A tile of sums stays in registers while the loop runs along the
/// depth of the product; nothing is packed.
///
/// There are two. If the vectors lie across the result (samples side by side, or a weight's row), `outer_tile` reads
/// one operand as vectors and the other as scalars. If both operands are contiguous along the depth, `dot_tile` reads
/// both as vectors and adds each sum up across its lanes at the end.

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "retort/core/instruction_set.hpp"
#include "retort/simd/bytes.hpp"
#include "retort/simd/unroll.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::simd {

enum class PrefetchFor { reading, writing, later_reading };

/// Asks for the cache line `bytes` after `base`, which may lie beyond every array: it is an address, not a pointer.
/// Data for later comes no nearer than the second-level cache.
template <PrefetchFor purpose>
RETORT_INLINE void prefetch(const void* base, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(base) + bytes;
  __builtin_prefetch(reinterpret_cast<const void*>(address), purpose == PrefetchFor::writing ? 1 : 0,
                     purpose == PrefetchFor::later_reading ? 2 : 3);
}

/// Vectors side by side and rows below one another in a full tile of outer_tile: 20 (or 10) sums, with registers to
/// spare for the operands. Five rows, because ten classes and the widths 20, 100 and 1200 are multiples of it.
template <typename V>
inline constexpr std::size_t tile_vectors = has_many_registers<V> ? 4 : 2;
inline constexpr std::size_t tile_rows = 5;
template <typename V>
inline constexpr std::size_t tile_width = tile_vectors<V> * lanes<V>;

/// A matrix in memory, row-major: row r begins at data + r * stride. Two words, which a call passes in registers.
template <typename Scalar>
struct Rows {
  Scalar* data;
  std::size_t stride;
};

/// A matrix that is read element by element: (row, depth) is at data[row * row_stride + depth * depth_stride].
template <typename Scalar>
struct ScalarOperand {
  const Scalar* data;
  std::size_t row_stride;
  std::size_t depth_stride;

  template <typename V>
  RETORT_INLINE static V load_factor(const Scalar* element) {
    return V(*element);
  }
};

/// The same for a matrix of pairs, two elements of a row, which a vector holds by turns.
template <typename Scalar>
struct PairOperand {
  const Scalar* data;
  std::size_t row_stride;
  std::size_t depth_stride;

  template <typename V>
  RETORT_INLINE static V load_factor(const Scalar* pair) {
    return load_pair<V>(pair);
  }
};

/// A matrix that is read in vectors: row `depth` begins at data + depth * stride.
template <typename Scalar>
struct VectorOperand {
  const Scalar* data;
  std::size_t stride;

  template <typename V>
  RETORT_INLINE V load_vector(std::size_t depth, std::size_t column) const {
    return load<V>(data + depth * stride + column);
  }
};

/// The same for bytes, which become numbers in registers.
struct ByteOperand {
  const std::uint8_t* data;
  std::size_t stride;

  template <typename V>
  RETORT_INLINE V load_vector(std::size_t depth, std::size_t column) const {
    return load_bytes<V>(data + depth * stride + column);
  }
};

/// Bytes in rows that lie anywhere: row `depth` is at rows[depth] + column.
struct ByteRowsOperand {
  const std::uint8_t* const* rows;
  std::size_t column;

  template <typename V>
  RETORT_INLINE V load_vector(std::size_t depth, std::size_t further_column) const {
    return load_bytes<V>(rows[depth] + column + further_column);
  }
};

/// Keeps g++ from reading the vector's memory again for each use, which takes more loads than a core has time for.
template <typename V>
RETORT_INLINE void keep_in_register([[maybe_unused]] V& vector) {
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__OPTIMIZE__)
  if constexpr (requires { vector.data; }) {
    asm("" : "+v"(vector.data));
  }
#endif
}

template <typename V, std::size_t Rows, std::size_t Vectors>
struct Tile {
  V sums[Rows][Vectors];  // NOLINT(modernize-avoid-c-arrays): g++ keeps it in registers, a std::array it does not

  RETORT_INLINE void fill(ScalarOf<V> value) {
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t v = 0; v < Vectors; ++v) {
        sums[r][v] = V(value);
      }
    }
  }
};

/// What outer_tile may fetch ahead, once in each step of the depth: here nothing.
struct NoPrefetch {
  RETORT_INLINE void operator()(std::size_t /*depth*/) const {}
};

/// A product's operation on its elements.
struct MultiplyElements {
  template <typename V>
  RETORT_INLINE V operator()(const V& left, const V& right, const V& sum) const {
    return fma(left, right, sum);
  }
};

/// tile.sums(r, v) += sum over depth of scalars(r, depth) * vectors(depth, v). RightOperand and LeftOperand are two of
/// the operands above.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply = MultiplyElements,
          typename RightOperand = VectorOperand<ScalarOf<V>>, typename Prefetch = NoPrefetch,
          typename LeftOperand = ScalarOperand<ScalarOf<V>>>
RETORT_INLINE void outer_tile(Tile<V, Rows, Vectors>& tile, LeftOperand scalars, RightOperand vectors,
                              std::size_t depth, const Prefetch& prefetch = {}) {
  const ScalarOf<V>* scalar = scalars.data;
  for (std::size_t d = 0; d < depth; ++d) {
    prefetch(d);
    V row[Vectors];  // NOLINT(modernize-avoid-c-arrays)
    detail::unroll<Vectors>([&](std::size_t v) __attribute__((always_inline)) {
      row[v] = vectors.template load_vector<V>(d, v * lanes<V>);
      if constexpr (Rows == 2 || Rows == 3) {  // g++ shares the loads of higher tiles itself, in a better order
        keep_in_register(row[v]);
      }
    });
    detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
      const V factor = LeftOperand::template load_factor<V>(scalar + r * scalars.row_stride);
      detail::unroll<Vectors>([&](std::size_t v) __attribute__((always_inline)) {
        tile.sums[r][v] = Multiply{}(factor, row[v], tile.sums[r][v]);
      });
    });
    scalar += scalars.depth_stride;
  }
}

/// Element i of the result is the sum over the lanes of vectors[i]: pairs of vectors are interleaved and added until
/// one is left.
template <typename V>
RETORT_INLINE V sum_each(const V (&vectors)[lanes<V>]) {  // NOLINT(modernize-avoid-c-arrays)
  V sums[lanes<V>];                                       // NOLINT(modernize-avoid-c-arrays)
  detail::unroll<lanes<V>>([&](std::size_t i) __attribute__((always_inline)) { sums[i] = vectors[i]; });
  const auto halve = [&]<std::size_t Half>(std::integral_constant<std::size_t, Half>) __attribute__((always_inline)) {
    detail::unroll<Half>([&](std::size_t i) __attribute__((always_inline)) {
      const auto [low, high] = zip(sums[i], sums[i + Half]);
      sums[i] = low + high;
    });
  };
  if constexpr (lanes<V> >= 16) {
    static_assert(lanes<V> == 16);
    halve(std::integral_constant<std::size_t, 8>{});
  }
  if constexpr (lanes<V> >= 8) {
    halve(std::integral_constant<std::size_t, 4>{});
  }
  if constexpr (lanes<V> >= 4) {
    halve(std::integral_constant<std::size_t, 2>{});
  }
  halve(std::integral_constant<std::size_t, 1>{});
  return sums[0];
}

/// The sum of a vector's elements.
template <typename V>
ScalarOf<V> sum_lanes(const V& vector) {
  alignas(64) std::array<ScalarOf<V>, lanes<V>> values;
  vector.store_aligned(values.data());
  for (std::size_t half = lanes<V> / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      values[i] += values[i + half];
    }
  }
  return values[0];
}

/// Sums (Rows, Columns) in registers, each of vectors that run along the depth.
template <typename V, std::size_t Rows, std::size_t Columns>
class DotSums {
 public:
  RETORT_INLINE DotSums() {
    detail::unroll<groups * lanes<V>>(
        [&](std::size_t i) __attribute__((always_inline)) { sums_[i / lanes<V>][i % lanes<V>] = V(ScalarOf<V>{0}); });
  }

  /// Adds the products of a vector of each row: read(address) is what a row has there.
  template <typename Read>
  RETORT_INLINE void add(VectorOperand<ScalarOf<V>> left, VectorOperand<ScalarOf<V>> right, const Read& read) {
    V row[Rows];  // NOLINT(modernize-avoid-c-arrays)
    detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
      row[r] = read(left.data + r * left.stride);
      keep_in_register(row[r]);
    });
    detail::unroll<Columns>([&](std::size_t c) __attribute__((always_inline)) {
      V column = read(right.data + c * right.stride);
      if constexpr (Rows > 1) {
        keep_in_register(column);
      }
      detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
        const std::size_t i = r * Columns + c;
        V& sum = sums_[i / lanes<V>][i % lanes<V>];
        sum = fma(row[r], column, sum);
      });
    });
  }

  /// Adds each up across its lanes.
  RETORT_INLINE void write(ScalarOf<V>* result) const {
    detail::unroll<groups>([&](std::size_t g) __attribute__((always_inline)) {
      const V total = sum_each(sums_[g]);
      if (g + 1 < groups || count % lanes<V> == 0) {
        total.store_unaligned(result + g * lanes<V>);
      } else {
        store_partial(total, result + g * lanes<V>, count % lanes<V>);
      }
    });
  }

 private:
  static constexpr std::size_t count = Rows * Columns;
  static constexpr std::size_t groups = (count + lanes<V> - 1) / lanes<V>;

  V sums_[groups][lanes<V>];  // NOLINT(modernize-avoid-c-arrays)
};

/// result[r * Columns + c] = sum over depth of left(r, depth) * right(c, depth), both contiguous along the depth.
template <typename V, std::size_t Rows, std::size_t Columns>
RETORT_INLINE void dot_tile(VectorOperand<ScalarOf<V>> left, VectorOperand<ScalarOf<V>> right, std::size_t depth,
                            ScalarOf<V>* result) {
  DotSums<V, Rows, Columns> sums;
  std::size_t d = 0;
  for (; d + lanes<V> <= depth; d += lanes<V>) {
    sums.add(left, right,
             [&](const ScalarOf<V>* values) __attribute__((always_inline)) { return load<V>(values + d); });
  }
  if (d < depth) {
    sums.add(left, right, [&](const ScalarOf<V>* values) { return load_partial<V>(values + d, depth - d); });
  }
  sums.write(result);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::simd
