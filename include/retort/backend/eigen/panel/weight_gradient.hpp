// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The gradients of a Linear layer's weight and bias on panels. A sink (apply_optimizer.hpp) gets each tile of sums
/// over the whole batch while it is in registers.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/row_sums.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/nn/linear.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// A layer's input, (batch, in) by sample. Multiply multiplies `Together` samples at once, which lie side by side.
template <typename Scalar, typename Multiply = simd::MultiplyElements, std::size_t Together = 1>
struct SampleMajor {
  static constexpr bool of_bytes = false;
  static constexpr std::size_t together = Together;
  using Product = Multiply;

  const Scalar* data;
  std::size_t stride;

  RETORT_INLINE simd::VectorOperand<Scalar> operand(std::size_t sample, std::size_t column) const {
    return {data + sample / Together * stride + column, stride};
  }
  /// Rows follow one another: processors foresee them.
  RETORT_INLINE void fetch_ahead(std::size_t /*sample*/, std::size_t /*column*/) const {}
};

/// The same for bytes x that stand for x * scale + offset, in rows that lie anywhere. Whole vectors of each are read.
/// After the last sample's there are byte_square more rows, whose memory is fetched, not read.
template <typename Scalar>
struct ByteSamples {
  static constexpr bool of_bytes = true;
  static constexpr std::size_t together = 1;
  using Product = simd::MultiplyElements;

  const std::uint8_t* const* rows;
  Scalar scale;
  Scalar offset;

  RETORT_INLINE simd::ByteRowsOperand operand(std::size_t sample, std::size_t column) const {
    return {rows + sample, column};
  }
  /// Fetches a tile's columns of a sample some steps after `sample`.
  RETORT_INLINE void fetch_ahead(std::size_t sample, std::size_t column) const {
    constexpr std::size_t distance = 12;
    constexpr std::size_t last = simd::tile_width<simd::Vector<Scalar>> - 1;
    static_assert(distance < byte_square);
    const std::uint8_t* row = rows[sample + distance];
    simd::prefetch<simd::PrefetchFor::reading>(row, column);
    if constexpr (last >= byte_square) {  // they may lie on two cache lines
      simd::prefetch<simd::PrefetchFor::reading>(row, column + last);
    }
  }
};

namespace detail {

/// Fetches what the optimizer will change for the next tile of the same rows.
template <typename Scalar, typename Sink>
struct PrefetchSink {
  const Sink& sink;
  std::size_t offset;
  std::size_t stride;
  std::size_t rows;
  RETORT_INLINE void operator()(std::size_t depth) const {
    constexpr std::size_t line = arena_alignment / sizeof(Scalar);
    constexpr std::size_t lines = std::max<std::size_t>(simd::tile_width<simd::Vector<Scalar>> / line, 1);
    if (depth < lines * rows) {
      sink.prefetch(offset + depth / lines * stride + depth % lines * line);
    }
  }
};

/// A tile of weight_gradient (out, in) = output_gradient (out, batch) input (batch, in): sums over all samples, which
/// `sink` gets with the place of their first element and their count. Panels of output_gradient begin at its rows.
/// `offsets`: what an input of bytes adds to each row. The last vector has LastCount elements. The tile begins at
/// `column` of the input and at `offset` of the layer's parameters, with `stride` between its rows. (These three as one
/// struct would take g++ 12 through memory, and the whole product 8 % longer.)
template <typename V, std::size_t Rows, std::size_t Vectors, std::size_t LastCount, typename Input, typename Sink>
[[gnu::noinline, gnu::flatten]] void weight_gradient_tile(simd::Rows<const simd::ScalarOf<V>> output_gradient,
                                                          const Input& input, const simd::ScalarOf<V>* offsets,
                                                          std::size_t batch, std::size_t column, std::size_t offset,
                                                          std::size_t stride, const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  simd::Tile<V, Rows, Vectors> tile;
  tile.fill(Scalar{0});
  const PrefetchSink<Scalar, Sink> of_sink{sink, offset + simd::tile_width<V>, stride, Rows};
  for (std::size_t sample = 0; sample < batch; sample += width<Scalar>) {
    simd::outer_tile<V, Rows, Vectors, typename Input::Product>(
        tile, {output_gradient.data, width<Scalar> / Input::together, 1}, input.operand(sample, column),
        (std::min(width<Scalar>, batch - sample) + Input::together - 1) / Input::together,
        [&](std::size_t depth) __attribute__((always_inline)) {
          of_sink(depth);
          input.fetch_ahead(sample + depth, column);
        });
    output_gradient.data += output_gradient.stride;
  }
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](std::size_t v) __attribute__((always_inline)) {
      V sum = tile.sums[r][v];
      if constexpr (Input::of_bytes) {
        sum = fma(V(input.scale), sum, V(offsets[r]));
      }
      const std::size_t at = offset + r * stride + v * simd::lanes<V>;
      if (v + 1 < Vectors || LastCount == simd::lanes<V>) {
        sink(at, sum);
      } else {
        sink(at, sum, LastCount);
      }
    });
  });
}

/// Samples whose inputs stay in the second-level cache, a strip of columns of them, until all rows have met them.
template <typename Scalar>
inline constexpr std::size_t samples_together = 16 * width<Scalar>;

/// Adds samples [begin, end), of which panels of output_gradient are `panel_size` long, to a tile of sums
/// (Rows, tile_width).
template <typename V, std::size_t Rows, std::size_t Vectors, typename Input>
[[gnu::noinline, gnu::flatten]] void add_to_weight_gradient(const simd::ScalarOf<V>* output_gradient,
                                                            std::size_t panel_size, const Input& input,
                                                            std::size_t begin, std::size_t end, std::size_t column,
                                                            simd::ScalarOf<V>* sums) {
  using Scalar = simd::ScalarOf<V>;
  simd::Tile<V, Rows, Vectors> tile;
  const auto place = [&](std::size_t r, std::size_t v)
                         __attribute__((always_inline)) { return sums + r * width<Scalar> + v * simd::lanes<V>; };
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>(
        [&](std::size_t v) __attribute__((always_inline)) { tile.sums[r][v] = V::load_aligned(place(r, v)); });
  });
  const Scalar* gradient = output_gradient + begin / width<Scalar> * panel_size;
  for (std::size_t sample = begin; sample < end; sample += width<Scalar>, gradient += panel_size) {
    simd::outer_tile<V, Rows, Vectors, typename Input::Product>(
        tile, {gradient, width<Scalar> / Input::together, 1}, input.operand(sample, column),
        (std::min(width<Scalar>, end - sample) + Input::together - 1) / Input::together,
        [&](std::size_t depth) __attribute__((always_inline)) { input.fetch_ahead(sample + depth, column); });
  }
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](std::size_t v)
                                      __attribute__((always_inline)) { tile.sums[r][v].store_aligned(place(r, v)); });
  });
}

/// Rows of the weight's gradient as in weight_gradient_rows, with the same bits, for batches whose inputs leave the
/// cache: a strip of columns of a block of samples meets all rows before the next.
template <std::size_t Out, typename V, typename ForEachStrip, typename Input, typename Sink>
void weight_gradient_in_blocks(const ForEachStrip& for_each_strip, LayerSizes sizes,
                               const simd::ScalarOf<V>* output_gradient, const simd::ScalarOf<V>* sums,
                               const Input& input, std::size_t batch, RowRange rows, const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  struct StripTag;
  constexpr std::size_t row_size = width<Scalar> / Input::together;
  const std::size_t strip_size = rows.count() * width<Scalar>;
  Scalar* strip = internal::thread_scratch<Scalar, StripTag>(strip_size);  // (rows, tile_width)
  for_each_strip([&]<std::size_t Vectors, std::size_t LastCount>(std::size_t column) {
    std::fill_n(strip, strip_size, Scalar{0});
    for (std::size_t begin = 0; begin < batch; begin += samples_together<Scalar>) {
      for_each_row_tile<Out>(rows, [&]<std::size_t Rows>(std::size_t row) {
        add_to_weight_gradient<V, Rows, Vectors>(output_gradient + row * row_size, sizes.out * row_size, input, begin,
                                                 std::min(begin + samples_together<Scalar>, batch), column,
                                                 strip + (row - rows.begin) * width<Scalar>);
      });
    }
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      for (std::size_t v = 0; v < Vectors; ++v) {
        V sum = V::load_aligned(strip + (row - rows.begin) * width<Scalar> + v * simd::lanes<V>);
        if constexpr (Input::of_bytes) {
          sum = fma(V(input.scale), sum, V(input.offset * sums[row]));
        }
        const std::size_t at = row * sizes.in + column + v * simd::lanes<V>;
        if (v + 1 < Vectors || LastCount == simd::lanes<V>) {
          sink(at, sum);
        } else {
          sink(at, sum, LastCount);
        }
      }
    }
  });
}

/// weight_gradient_rows of all layers with rows tiled as Out and, in each row, LastVectors vectors after the last whole
/// strip, of which the last has LastCount elements.
template <std::size_t Out, std::size_t LastVectors, std::size_t LastCount, typename V, typename Input, typename Sink>
void weight_gradient_rows(LayerSizes sizes, const simd::ScalarOf<V>* output_gradient, const simd::ScalarOf<V>* sums,
                          const Input& input, std::size_t batch, RowRange rows, const Sink& sink) {
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t row_size = width<Scalar> / Input::together;
  const std::size_t whole_strips = (sizes.in - 1) / width<Scalar>;
  const auto for_each_strip = [&](const auto& function) {
    for (std::size_t strip = 0; strip < whole_strips; ++strip) {
      function.template operator()<simd::tile_vectors<V>, simd::lanes<V>>(strip * width<Scalar>);
    }
    function.template operator()<LastVectors, LastCount>(whole_strips * width<Scalar>);
  };
  if (batch <= samples_together<Scalar>) {
    for_each_row_tile<Out>(rows, [&]<std::size_t Rows>(std::size_t row) {
      const simd::Rows<const Scalar> gradient{output_gradient + row * row_size, sizes.out * row_size};
      std::array<Scalar, Rows> offsets{};
      if constexpr (Input::of_bytes) {
        for (std::size_t r = 0; r < Rows; ++r) {
          offsets[r] = input.offset * sums[row + r];
        }
      }
      for_each_strip([&]<std::size_t Vectors, std::size_t Count>(std::size_t column) {
        weight_gradient_tile<V, Rows, Vectors, Count>(gradient, input, offsets.data(), batch, column,
                                                      row * sizes.in + column, sizes.in, sink);
      });
    });
    return;
  }
  weight_gradient_in_blocks<Out, V>(for_each_strip, sizes, output_gradient, sums, input, batch, rows, sink);
}

/// sum_over_batch of all layers with rows tiled as Out.
template <std::size_t Out, typename V>
void sum_over_batch(const simd::ScalarOf<V>* output_gradient, std::size_t features, std::size_t batch, RowRange rows,
                    simd::ScalarOf<V>* sums) {
  for_each_row_tile<Out>(rows, [&]<std::size_t Rows>(std::size_t row) {
    const auto of_rows = sum_row_tile<Rows, V>(features, batch, row, [&](std::size_t /*r*/, std::size_t place) {
      return V::load_aligned(output_gradient + place);
    });
    std::copy(of_rows.begin(), of_rows.end(), sums + row);
  });
}

}  // namespace detail

/// Rows of `sums` (out): an output gradient (out, batch), summed over the batch.
template <typename L, typename V>
void sum_over_batch(const simd::ScalarOf<V>* output_gradient, std::size_t batch, RowRange rows,
                    simd::ScalarOf<V>* sums) {
  detail::sum_over_batch<tiled_as(L::output_size), V>(output_gradient, L::output_size, batch, rows, sums);
}

/// Rows of the weight's gradient, summed over the batch, for `sink(offset, vector[, count])` with offsets into the
/// layer's parameters. `output_gradient` lies as the input does: in panels, `Input::together` samples side by side.
/// `sums` (out), for an input of bytes, come from sum_over_batch.
template <typename L, typename V, typename Input, typename Sink>
void weight_gradient_rows(const simd::ScalarOf<V>* output_gradient, const simd::ScalarOf<V>* sums, const Input& input,
                          std::size_t batch, RowRange rows, const Sink& sink) {
  constexpr std::size_t vectors = vectors_for<V>(L::input_size);
  constexpr std::size_t last_vectors = (vectors - 1) % simd::tile_vectors<V> + 1;
  constexpr std::size_t last_count = L::input_size - (vectors - 1) * simd::lanes<V>;
  detail::weight_gradient_rows<tiled_as(L::output_size), last_vectors, last_count, V>(
      {L::input_size, L::output_size}, output_gradient, sums, input, batch, rows, sink);
}

/// The same for the bias, whose gradient sum_over_batch has computed.
template <typename L, typename V, typename Sink>
void bias_gradient_rows(const simd::ScalarOf<V>* sums, RowRange rows, const Sink& sink) {
  if constexpr (L::has_bias) {
    sink_sums<V>(sums, rows, bias_offset<L>, sink);
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
