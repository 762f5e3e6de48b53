// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How whole models keep a batch on the CPU: feature by feature, in panels.
///
/// A panel holds `panel_width` samples, the width of a register tile: for each feature their values side by side. So
/// every product reads weights as scalars and samples as vectors: no width of a layer is padded, nothing is packed,
/// and no sum runs across lanes. Only the gradient of the weights wants a sample's features side by side; what enters
/// a Linear layer is kept in that order too ("sample-major").

#include <algorithm>
#include <cstddef>

#include "retort/backend/plan.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Samples of a panel.
template <typename Scalar>
inline constexpr std::size_t width = simd::tile_width<simd::Vector<Scalar>>;

template <typename Scalar>
constexpr std::size_t count_for(std::size_t batch) {
  return (batch + width<Scalar> - 1) / width<Scalar>;
}

/// Samples of panel `index` of a batch.
template <typename Scalar>
constexpr std::size_t samples_in(std::size_t index, std::size_t batch) {
  return std::min(width<Scalar>, batch - index * width<Scalar>);
}

/// Vectors that `samples` of a panel fill; the last may be filled in part, and computes on what stands there.
template <typename V>
constexpr std::size_t vectors_for(std::size_t samples) {
  return (samples + simd::lanes<V> - 1) / simd::lanes<V>;
}

/// Elements of (features, batch) in panels.
template <typename Scalar>
constexpr std::size_t size_for(std::size_t features, std::size_t batch) {
  return count_for<Scalar>(batch) * features * width<Scalar>;
}

/// Elements between two samples of a sample-major matrix: whole cache lines, and an odd number of them, so that the
/// samples of a panel do not meet in a few sets of the cache.
template <typename Scalar>
constexpr std::size_t sample_stride(std::size_t features) {
  constexpr std::size_t line = arena_alignment / sizeof(Scalar);
  return ((features + line - 1) / line | 1) * line;
}

template <typename L>
inline constexpr std::size_t bias_offset = tensor_offset(L::parameters, 1);

/// Calls `function.operator()<Rows>(row)` over rows [begin, end): tile_rows of them, and at the end of a layer of Extent
/// rows what is left.
template <std::size_t Extent, typename Function>
void for_each_row_tile(std::size_t begin, std::size_t end, const Function& function) {
  for (; begin + simd::tile_rows <= end; begin += simd::tile_rows) {
    function.template operator()<simd::tile_rows>(begin);
  }
  if constexpr (Extent % simd::tile_rows != 0) {
    if (begin < end) {
      function.template operator()<Extent % simd::tile_rows>(begin);
    }
  }
}

/// Calls `function.operator()<Vectors>(vector)` for the `vectors` vectors of a panel: all at once where it is full, else
/// one by one.
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

/// Calls function(panel, its first element of (features, batch), its samples) for every panel of a batch.
template <typename Scalar, typename Function>
void for_each_panel(std::size_t batch, std::size_t features, const Function& function) {
  for (std::size_t index = 0; index < count_for<Scalar>(batch); ++index) {
    function(index, index * features * width<Scalar>, samples_in<Scalar>(index, batch));
  }
}

/// How rows of a layer are cut for the threads: pieces of whole tiles and whole groups of dropout's random numbers,
/// about sixteen of them, or one where a layer is too small to be worth a second thread.
template <std::size_t Extent, std::size_t In, std::size_t Out>
struct RowChunks {
  static constexpr std::size_t step = 4 * simd::tile_rows;
  static constexpr std::size_t size =
      In * Out < (std::size_t{1} << 17) ? Extent : std::max(step, (Extent / 16 + step - 1) / step * step);
  static constexpr std::size_t count = (Extent + size - 1) / size;

  static constexpr std::size_t begin(std::size_t chunk) { return chunk * size; }
  static constexpr std::size_t end(std::size_t chunk) { return std::min(Extent, begin(chunk) + size); }
};

/// Where the operands of each Linear layer begin in memory that holds those of all, one behind another:
/// `size_of.operator()<Operation>()` elements each.
template <Model M, typename SizeOf>
constexpr std::size_t operand_offset(std::size_t operation, const SizeOf& size_of) {
  using Plan = backend::Plan<M>;
  std::size_t offset = 0;
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    if constexpr (!Plan::template is_chain<Index>) {
      offset += Index < operation ? size_of.template operator()<typename Plan::template Operation<Index>>() : 0;
    }
  });
  return offset;
}

/// A model that runs in panels: Linear layers, and pointwise layers before, between and behind them.
template <typename M>
concept PanelModel = FullyConnectedModel<M>;

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
