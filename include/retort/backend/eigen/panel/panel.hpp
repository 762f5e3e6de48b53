// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How whole models keep a batch on the CPU: feature by feature, in panels of samples (docs/design.md, 14).

#include <algorithm>
#include <cstddef>

#include "retort/backend/plan.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_pool.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Samples of a panel: the width of a register tile.
template <typename Scalar>
inline constexpr std::size_t width = simd::tile_width<simd::Vector<Scalar>>;

template <typename Scalar>
constexpr std::size_t count_for(std::size_t batch) {
  return (batch + width<Scalar> - 1) / width<Scalar>;
}

/// The number of samples in panel `index` of a batch.
template <typename Scalar>
constexpr std::size_t samples_in(std::size_t index, std::size_t batch) {
  return std::min(width<Scalar>, batch - index * width<Scalar>);
}

/// Vectors that `samples` of a panel fill. The last may be partly filled: its other lanes compute values that are never
/// read.
template <typename V>
constexpr std::size_t vectors_for(std::size_t samples) {
  return (samples + simd::lanes<V> - 1) / simd::lanes<V>;
}

/// The least multiple of a vector's lanes that is `count` or more.
template <typename V>
constexpr std::size_t whole_vectors(std::size_t count) {
  return vectors_for<V>(count) * simd::lanes<V>;
}

/// Elements of (features, batch) in panels.
template <typename Scalar>
constexpr std::size_t size_for(std::size_t features, std::size_t batch) {
  return count_for<Scalar>(batch) * features * width<Scalar>;
}

/// Elements from one sample to the next in a sample-major matrix: whole cache lines, and an odd number of them, so that
/// the samples of a panel do not meet in a few sets of the cache.
template <typename Scalar>
constexpr std::size_t sample_stride(std::size_t features) {
  constexpr std::size_t line = arena_alignment / sizeof(Scalar);
  return ((features + line - 1) / line | 1) * line;
}

template <typename L>
inline constexpr std::size_t bias_offset = tensor_offset(L::parameters, 1);

/// Rows [begin, end) of a matrix.
struct RowRange {
  std::size_t begin;
  std::size_t end;

  constexpr std::size_t count() const { return end - begin; }
};

/// Rows of panel `index` of a batch; the panel has `samples` samples.
template <typename Scalar>
struct PanelRows : RowRange {
  std::size_t index;
  std::size_t samples;

  constexpr std::size_t first_sample() const { return index * width<Scalar>; }
  /// Where the panel begins in a matrix (features, batch).
  constexpr std::size_t place(std::size_t features) const { return index * features * width<Scalar>; }
  constexpr std::size_t vectors() const { return vectors_for<simd::Vector<Scalar>>(samples); }
};

/// Of a Linear layer: two words, which a call passes in registers.
struct LayerSizes {
  std::size_t in;
  std::size_t out;
};

/// An extent that takes the same tiles: functions of it are compiled once for all layers whose rows end alike.
constexpr std::size_t tiled_as(std::size_t extent) {
  constexpr std::size_t high = 2 * simd::tile_rows;
  return extent < high ? extent : high + extent % simd::tile_rows;
}

/// Calls `function.operator()<Rows>(row)` over rows: tile_rows at a time, and the rest at the end of a layer of Extent
/// rows.
template <std::size_t Extent, typename Function>
void for_each_row_tile(RowRange rows, const Function& function) {
  std::size_t row = rows.begin;
  for (; row + simd::tile_rows <= rows.end; row += simd::tile_rows) {
    function.template operator()<simd::tile_rows>(row);
  }
  if constexpr (Extent % simd::tile_rows != 0) {
    if (row < rows.end) {
      function.template operator()<Extent % simd::tile_rows>(row);
    }
  }
}

/// Calls `function.operator()<Vectors>(vector)` for the `vectors` vectors of a panel: all at once where it is full,
/// else one by one.
template <typename V, typename Function>
void for_each_vector_tile(std::size_t vectors, const Function& function) {
  if (vectors == simd::tile_vectors<V>) {
    function.template operator()<simd::tile_vectors<V>>(0);
    return;
  }
  for (std::size_t vector = 0; vector < vectors; ++vector) {
    function.template operator()<1>(vector);
  }
}

/// Calls `function.operator()<Rows, Vectors>(row, vector)` for the tiles of a product with a panel. Where a panel is
/// not full, tiles are twice as high and of one or two vectors: enough sums, as each waits for its last addition.
template <std::size_t Extent, typename V, typename Function>
void for_each_tile(RowRange rows, std::size_t vectors, const Function& function) {
  constexpr std::size_t high = 2 * simd::tile_rows;
  if constexpr (Extent >= high) {
    if (vectors < simd::tile_vectors<V>) {
      for (; rows.begin + high <= rows.end; rows.begin += high) {
        std::size_t vector = 0;
        if constexpr (simd::tile_vectors<V> > 2) {
          for (; vector + 2 <= vectors; vector += 2) {
            function.template operator()<high, 2>(rows.begin, vector);
          }
        }
        for (; vector < vectors; ++vector) {
          function.template operator()<high, 1>(rows.begin, vector);
        }
      }
    }
  }
  for_each_row_tile<Extent>(rows, [&]<std::size_t Rows>(std::size_t row) {
    for_each_vector_tile<V>(vectors, [&]<std::size_t Vectors>(std::size_t vector) {
      function.template operator()<Rows, Vectors>(row, vector);
    });
  });
}

/// Calls function(PanelRows) for the rows of every panel of a batch.
template <typename Scalar, typename Function>
void for_each_panel(std::size_t batch, RowRange rows, const Function& function) {
  for (std::size_t index = 0; index < count_for<Scalar>(batch); ++index) {
    function(PanelRows<Scalar>{rows, index, samples_in<Scalar>(index, batch)});
  }
}

/// Rows [0, Extent) in pieces of `Size`.
template <std::size_t Extent, std::size_t Size>
struct RowPieces {
  static constexpr std::size_t extent = Extent;
  static constexpr std::size_t size = Size;
  static constexpr std::size_t count = (Extent + Size - 1) / Size;

  static constexpr RowRange rows(std::size_t piece) { return {piece * Size, std::min(Extent, (piece + 1) * Size)}; }
};

/// How rows of a layer are cut for the threads: about `Most` pieces of whole `Step`s, or fewer, or one piece where a
/// layer has fewer than `Least` weights and is not worth a second thread (a product of 2^14 weights with 64 samples
/// takes a Zen 4 core 18 us). By default a step is whole tiles and whole groups of dropout's random numbers, and pieces
/// are so many that threads end together.
template <std::size_t Extent, std::size_t Weights, std::size_t Step = 4 * simd::tile_rows,
          std::size_t Least = std::size_t{1} << 14, std::size_t Most = 64>
using EvenPieces =
    RowPieces<Extent, (Weights < Least ? Extent : std::max(Step, (Extent / Most + Step - 1) / Step * Step))>;

/// The pieces for a Linear layer's input or output, and for a chain that follows no Linear.
template <typename L>
using OutputPieces = EvenPieces<L::output_size, L::input_size * L::output_size>;
template <typename L>
using InputPieces = EvenPieces<L::input_size, L::input_size * L::output_size>;
template <std::size_t Features>
using ChainPieces = EvenPieces<Features, Features * 32>;

/// Calls function(rows) for the pieces of RowPieces or EvenPieces, on the pool's threads.
template <typename Pieces, typename Function>
void for_each_piece(internal::ThreadPool& pool, const Function& function) {
  pool.for_each_piece(Pieces::count, [&](std::size_t piece) { function(Pieces::rows(piece)); });
}

/// The same for a layer's features where they are only rearranged: pieces of whole vectors and pairs.
template <typename V, typename Function>
void for_each_operand_piece(internal::ThreadPool& pool, std::size_t features, const Function& function) {
  const std::size_t size = features < 256 ? features : 16 * simd::lanes<V>;
  pool.for_each_piece((features + size - 1) / size, [&](std::size_t piece) {
    function(RowRange{piece * size, std::min(features, (piece + 1) * size)});
  });
}

/// Where the operands of stage `stage` begin in memory that holds those of all, one after another:
/// `size_of.operator()<Linear>()` elements each.
template <Model M, typename SizeOf>
constexpr std::size_t operand_offset(std::size_t stage, const SizeOf& size_of) {
  std::size_t offset = 0;
  internal::for_each_index<Plan<M>::linear_count>([&]<std::size_t Index>() {
    offset += Index < stage ? size_of.template operator()<typename Stage<M, Index>::Linear>() : 0;
  });
  return offset;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
