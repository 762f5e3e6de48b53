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

/// Memory to be read soon, fetched while a product runs: as much as a register holds with each step along the depth.
struct Ahead {
  const std::byte* data = nullptr;  ///< null for nothing

  /// What is fetched from `depth` on: a panel of inputs takes as many steps for each feature as a register tile has
  /// vectors.
  template <typename V>
  Ahead from(std::size_t depth) const {
    return {data == nullptr ? nullptr : data + depth * simd::tile_vectors<V> * sizeof(V)};
  }

  /// What the row tile that begins with `row` fetches in `depth` steps: so it takes as many tiles, too.
  template <typename V>
  const std::byte* of_tile(std::size_t row, std::size_t depth) const {
    const std::size_t tile = row / simd::tile_rows;
    return data == nullptr || tile >= simd::tile_vectors<V> ? nullptr : data + tile * depth * sizeof(V);
  }
};

/// Turns a product into a layer's output: scale * product + bias (out), null for none.
template <typename Scalar>
struct Affine {
  Scalar scale;
  const Scalar* bias;

  Affine from_row(std::size_t row) const { return {scale, bias == nullptr ? nullptr : bias + row}; }
};

namespace detail {

/// Sums that begin with their rows' bias, null for none.
template <typename V, std::size_t Rows, std::size_t Vectors>
RETORT_INLINE void begin_with(const simd::ScalarOf<V>* bias, simd::Tile<V, Rows, Vectors>& tile) {
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    const V initial(bias != nullptr ? bias[r] : simd::ScalarOf<V>{0});
    simd::detail::unroll<Vectors>([&](std::size_t v) __attribute__((always_inline)) { tile.sums[r][v] = initial; });
  });
}

/// Rows of output (out, samples) = scale weight (out, in) input (in, samples) + bias; the scale is 1 except for bytes.
/// `in` counts the units that Multiply takes at once. `more`, for numbers only: the output stands in for the bias.
/// Structs of two words are passed in registers.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply = simd::MultiplyElements, typename Input>
RETORT_NOINLINE void forward_tile(simd::Rows<const simd::ScalarOf<V>> weight, std::size_t in,
                                  Affine<simd::ScalarOf<V>> affine, Input input, simd::ScalarOf<V>* output,
                                  const std::byte* ahead, bool more = false) {
  constexpr bool of_bytes = std::is_same_v<Input, simd::ByteOperand>;
  // Higher tiles are of a panel that is not full, behind which nothing follows, and have no reads to spare.
  constexpr bool fetches = Rows <= simd::tile_rows;
  // With nothing to fetch, it fetches the same line again and again, which costs next to nothing.
  const std::size_t step = ahead == nullptr ? 0 : sizeof(V);
  ahead = ahead == nullptr ? reinterpret_cast<const std::byte*>(output) : ahead;
  simd::Tile<V, Rows, Vectors> tile;
  const auto for_each_sum = [&](const auto& function) __attribute__((always_inline)) {
    simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
      simd::detail::unroll<Vectors>([&](std::size_t v) __attribute__((always_inline)) {
        function(r, tile.sums[r][v], output + r * simd::tile_width<V> + v * simd::lanes<V>);
      });
    });
  };
  if (!of_bytes && more) {
    for_each_sum([&](std::size_t, V& sum, const simd::ScalarOf<V>* from)
                     __attribute__((always_inline)) { sum = V::load_aligned(from); });
  } else {
    begin_with(of_bytes ? nullptr : affine.bias, tile);
  }
  simd::outer_tile<V, Rows, Vectors, Multiply>(tile, {weight.data, weight.stride, 1}, input, in,
                                               [&](std::size_t depth) __attribute__((always_inline)) {
                                                 if constexpr (fetches) {
                                                   simd::prefetch<simd::PrefetchFor::reading>(ahead, depth * step);
                                                 }
                                               });
  for_each_sum([&](std::size_t r, V& sum, simd::ScalarOf<V>* to) __attribute__((always_inline)) {
    if constexpr (of_bytes) {
      sum = fma(V(affine.scale), sum, V(affine.bias[r]));
    }
    sum.store_aligned(to);
  });
}

/// Rows of the output of all layers with rows tiled as Out and `in` inputs, of which `input` holds those in `depth`.
template <std::size_t Out, typename V, typename Input>
void forward_affine_rows(const simd::ScalarOf<V>* weight, std::size_t in, RowRange depth,
                         Affine<simd::ScalarOf<V>> affine, Input input, simd::ScalarOf<V>* output,
                         const PanelRows<simd::ScalarOf<V>>& rows, Ahead ahead) {
  for_each_tile<Out, V>(
      rows, rows.vectors(), [&]<std::size_t Rows, std::size_t Vectors>(std::size_t row, std::size_t vector) {
        Input columns = input;
        columns.data += vector * simd::lanes<V>;
        forward_tile<V, Rows, Vectors>({weight + row * in + depth.begin, in}, depth.count(), affine.from_row(row),
                                       columns, output + row * simd::tile_width<V> + vector * simd::lanes<V>,
                                       ahead.of_tile<V>(row, depth.count()), depth.begin > 0);
      });
}

}  // namespace detail

/// What the inputs in `depth`, which `input` holds, give to rows of one panel's output: those from 0 on with the bias,
/// others added to what stands there. Part by part, in order, the sums have the same bits as at once.
template <typename L, typename V>
void forward_depth(const simd::ScalarOf<V>* parameters, RowRange depth, const simd::ScalarOf<V>* input,
                   simd::ScalarOf<V>* output, const PanelRows<simd::ScalarOf<V>>& rows, Ahead ahead = {}) {
  using Scalar = simd::ScalarOf<V>;
  const simd::VectorOperand<Scalar> panel{input, simd::tile_width<V>};
  const Affine<Scalar> affine{Scalar{1}, L::has_bias ? parameters + bias_offset<L> : nullptr};
  detail::forward_affine_rows<tiled_as(L::output_size), V>(parameters, L::input_size, depth, affine, panel, output,
                                                           rows, ahead);
}

/// Rows of one panel's output.
template <typename L, typename V>
void forward_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                  const PanelRows<simd::ScalarOf<V>>& rows, Ahead ahead = {}) {
  forward_depth<L, V>(parameters, {0, L::input_size}, input, output, rows, ahead);
}

/// Rows of `folded` (out): the bias plus the sum that the inputs' offset adds. With bytes x for the inputs
/// x * scale + offset, the layer's output is scale * weight x + folded.
template <typename L, typename V>
void fold_offset(const simd::ScalarOf<V>* parameters, simd::ScalarOf<V> offset, RowRange rows,
                 simd::ScalarOf<V>* folded) {
  using Scalar = simd::ScalarOf<V>;
  for_each_row_tile<L::output_size>(rows, [&]<std::size_t Rows>(std::size_t row) {
    const Scalar* weight = parameters + row * L::input_size;
    std::array<V, Rows> sums;  // several sums at once, as each waits for its last addition
    sums.fill(V(Scalar{0}));
    simd::for_each_vector<V>(L::input_size, [&](std::size_t at, std::size_t count) {
      for (std::size_t r = 0; r < Rows; ++r) {
        sums[r] += simd::load<V>(weight + r * L::input_size + at, count);
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

/// Rows of one panel's output, from a panel of bytes; `folded` comes from fold_offset.
template <typename L, typename V>
void forward_byte_rows(const simd::ScalarOf<V>* parameters, Affine<simd::ScalarOf<V>> folded, const std::uint8_t* input,
                       simd::ScalarOf<V>* output, const PanelRows<simd::ScalarOf<V>>& rows) {
  const simd::ByteOperand panel{input, simd::tile_width<V>};
  detail::forward_affine_rows<tiled_as(L::output_size), V>(parameters, L::input_size, {0, L::input_size}, folded, panel,
                                                           output, rows, {});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
