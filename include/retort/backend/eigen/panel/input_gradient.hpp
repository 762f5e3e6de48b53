// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The gradient of a Linear layer's input on panels, a tile of its rows at a time.

#include <algorithm>
#include <cstddef>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// Fetches the weights that the tile after the next one will read: a column of the matrix, which no processor foresees.
template <typename Scalar>
struct PrefetchColumns {
  static constexpr std::size_t distance = arena_alignment / sizeof(Scalar) + 2 * simd::tile_rows;
  const Scalar* weight;
  std::size_t stride;
  RETORT_INLINE void operator()(std::size_t depth) const {
    simd::prefetch<simd::PrefetchFor::reading>(weight, (distance + depth * stride) * sizeof(Scalar));
  }
};

/// Rows of input_gradient (in, samples) = weight^T (in, out) output_gradient (out, samples), over `out` of the rows;
/// adds to what is there unless `first`. `out` counts the units that Multiply takes at once.
template <typename V, std::size_t Rows, std::size_t Vectors, typename Multiply = simd::MultiplyElements,
          typename Prefetch>
RETORT_NOINLINE void input_gradient_tile(simd::Rows<const simd::ScalarOf<V>> weight, std::size_t out, bool first,
                                         const simd::ScalarOf<V>* output_gradient, simd::ScalarOf<V>* input_gradient,
                                         const Prefetch& prefetch) {
  using Scalar = simd::ScalarOf<V>;
  simd::Tile<V, Rows, Vectors> tile;
  const auto place = [&](std::size_t r, std::size_t v) __attribute__((always_inline)) {
    return input_gradient + r * simd::tile_width<V> + v * simd::lanes<V>;
  };
  if (first) {
    tile.fill(Scalar{0});
  } else {
    simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
      simd::detail::unroll<Vectors>(
          [&](std::size_t v) __attribute__((always_inline)) { tile.sums[r][v] = V::load_aligned(place(r, v)); });
    });
  }
  simd::outer_tile<V, Rows, Vectors, Multiply>(tile, {weight.data, 1, weight.stride},
                                               simd::VectorOperand<Scalar>{output_gradient, simd::tile_width<V>}, out,
                                               prefetch);
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](std::size_t v)
                                      __attribute__((always_inline)) { tile.sums[r][v].store_aligned(place(r, v)); });
  });
}

/// Rows of the input gradient of all layers with inputs tiled as In.
template <std::size_t In, typename V>
void input_gradient_rows(LayerSizes sizes, const simd::ScalarOf<V>* parameters,
                         const simd::ScalarOf<V>* output_gradient, simd::ScalarOf<V>* input_gradient,
                         const PanelRows<simd::ScalarOf<V>>& rows) {
  using Scalar = simd::ScalarOf<V>;
  // Rows of the weight whose distance is a multiple of half a page meet in few sets of the cache: then it takes few at
  // a time.
  const std::size_t step = sizes.in * sizeof(Scalar) % 2048 == 0 ? std::size_t{64} : sizes.out;
  for (std::size_t out = 0; out < sizes.out; out += step) {
    const std::size_t count = std::min(step, sizes.out - out);
    for_each_tile<In, V>(
        rows, rows.vectors(), [&]<std::size_t Rows, std::size_t Vectors>(std::size_t row, std::size_t vector) {
          const Scalar* weight = parameters + out * sizes.in + row;
          input_gradient_tile<V, Rows, Vectors>({weight, sizes.in}, count, out == 0,
                                                output_gradient + out * simd::tile_width<V> + vector * simd::lanes<V>,
                                                input_gradient + row * simd::tile_width<V> + vector * simd::lanes<V>,
                                                PrefetchColumns<Scalar>{weight, sizes.in});
        });
  }
}

}  // namespace detail

/// Rows of one panel's input gradient.
template <typename L, typename V>
void input_gradient_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* output_gradient,
                         simd::ScalarOf<V>* input_gradient, const PanelRows<simd::ScalarOf<V>>& rows) {
  detail::input_gradient_rows<tiled_as(L::input_size), V>({L::input_size, L::output_size}, parameters, output_gradient,
                                                          input_gradient, rows);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
