// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The product of a Linear layer on panels: output = weight * input + bias, a tile of its rows at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/nn/linear.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Memory that will be read soon, and is fetched while a product runs: a cache line with each step along the depth.
struct Ahead {
  const std::byte* data = nullptr;  ///< null for nothing

  /// What the row tile that begins with `row` is to fetch, `in` lines: a panel of inputs has as many lines for each
  /// feature as a register tile has vectors, so that is how many tiles it takes.
  template <typename V>
  const std::byte* of_tile(std::size_t row, std::size_t in) const {
    const std::size_t tile = row / simd::tile_rows;
    return data == nullptr || tile >= simd::tile_vectors<V> ? nullptr : data + tile * in * sizeof(V);
  }
};

namespace detail {

/// Rows of output (out, samples) = weight (out, in) input (in, samples) + bias, null for no bias; of an input of bytes
/// scale * weight input + bias. `in` counts what Multiply takes at once.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply = simd::MultiplyElements, typename Input>
RETORT_NOINLINE void forward_tile(const simd::ScalarOf<V>* weight, std::size_t weight_stride, std::size_t in,
                                  simd::ScalarOf<V> scale, const simd::ScalarOf<V>* bias, Input input,
                                  simd::ScalarOf<V>* output, const std::byte* ahead) {
  using Scalar = simd::ScalarOf<V>;
  constexpr bool of_bytes = std::is_same_v<Input, simd::ByteOperand>;
  // Where nothing is to be fetched, the same line again and again costs next to nothing.
  const std::size_t step = ahead == nullptr ? 0 : sizeof(V);
  ahead = ahead == nullptr ? reinterpret_cast<const std::byte*>(output) : ahead;
  simd::Tile<V, Rows, Vectors> tile;
  simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    const V initial(bias != nullptr && !of_bytes ? bias[r] : Scalar{0});
    simd::detail::unroll<Vectors>([&](auto v) __attribute__((always_inline)) { tile.sums[r][v] = initial; });
  });
  simd::outer_tile<V, Rows, Vectors, Multiply>(tile, {weight, weight_stride, 1}, input, in,
                                               [&](std::size_t depth) __attribute__((always_inline)) {
                                                 simd::prefetch<simd::PrefetchFor::reading>(ahead, depth * step);
                                               });
  simd::detail::unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
      V& sum = tile.sums[r][v];
      if constexpr (of_bytes) {
        sum = fma(V(scale), sum, V(bias[r]));
      }
      sum.store_aligned(output + r * simd::tile_width<V> + v * simd::lanes<V>);
    });
  });
}

template <typename L, typename V, typename Input>
void forward_scaled_rows(const simd::ScalarOf<V>* parameters, simd::ScalarOf<V> scale, const simd::ScalarOf<V>* bias,
                         Input input, simd::ScalarOf<V>* output, std::size_t begin, std::size_t end,
                         std::size_t vectors, Ahead ahead) {
  for_each_row_tile<L::output_size>(begin, end, [&]<std::size_t Rows>(std::size_t row) {
    for_each_vector_tile<V>(vectors, [&]<std::size_t Vectors>(std::size_t vector) {
      Input columns = input;
      columns.data += vector * simd::lanes<V>;
      forward_tile<V, Rows, Vectors>(
          parameters + row * L::input_size, L::input_size, L::input_size, scale, bias == nullptr ? nullptr : bias + row,
          columns, output + row * simd::tile_width<V> + vector * simd::lanes<V>, ahead.of_tile<V>(row, L::input_size));
    });
  });
}

}  // namespace detail

/// Rows [begin, end) of one panel's output.
template <typename L, typename V>
void forward_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                  std::size_t begin, std::size_t end, std::size_t vectors, Ahead ahead = {}) {
  const simd::ScalarOf<V>* bias = nullptr;
  if constexpr (L::has_bias) {
    bias = parameters + bias_offset<L>;
  }
  const simd::VectorOperand<simd::ScalarOf<V>> panel{input, simd::tile_width<V>};
  detail::forward_scaled_rows<L, V>(parameters, simd::ScalarOf<V>{1}, bias, panel, output, begin, end, vectors, ahead);
}

/// What fold_offset makes of a layer: with bytes x for the inputs x * scale + offset, its output is
/// scale * weight x + folded.
template <typename Scalar>
struct FoldedBias {
  Scalar scale;
  const Scalar* folded;  // (out)
};

/// Rows [begin, end) of `folded` (out): the bias, and what the inputs' offset adds up to.
template <typename L, typename V>
void fold_offset(const simd::ScalarOf<V>* parameters, simd::ScalarOf<V> offset, std::size_t begin, std::size_t end,
                 simd::ScalarOf<V>* folded) {
  using Scalar = simd::ScalarOf<V>;
  for_each_row_tile<L::output_size>(begin, end, [&]<std::size_t Rows>(std::size_t row) {
    const Scalar* weight = parameters + row * L::input_size;
    std::array<V, Rows> sums;  // next to one another: each waits for its last addition
    sums.fill(V(Scalar{0}));
    simd::for_each_vector<V>(L::input_size, [&](std::size_t at, std::size_t count) {
      for (std::size_t r = 0; r < Rows; ++r) {
        const Scalar* values = weight + r * L::input_size + at;
        sums[r] += count == simd::lanes<V> ? simd::load<V>(values) : simd::load_partial<V>(values, count);
      }
    });
    for (std::size_t r = 0; r < Rows; ++r) {
      folded[row + r] = offset * simd::sum_lanes(sums[r]);
      if constexpr (L::has_bias) {
        folded[row + r] += parameters[bias_offset<L> + row + r];
      }
    }
  });
}

/// Rows [begin, end) of one panel's output, from a panel of bytes.
template <typename L, typename V>
void forward_byte_rows(const simd::ScalarOf<V>* parameters, FoldedBias<simd::ScalarOf<V>> bias,
                       const std::uint8_t* input, simd::ScalarOf<V>* output, std::size_t begin, std::size_t end,
                       std::size_t vectors) {
  const simd::ByteOperand panel{input, simd::tile_width<V>};
  detail::forward_scaled_rows<L, V>(parameters, bias.scale, bias.folded, panel, output, begin, end, vectors, {});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
