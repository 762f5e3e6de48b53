// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A Linear layer's product with a panel and one sample more, which meets each weight while it is in the first-level
/// cache: a core reads its second-level cache hardly faster than the last, and the weights are what one sample costs.

#include <cstddef>

#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/unroll.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Whether there are registers for the sums of a tile and of a sample.
template <typename V>
inline constexpr bool has_joint_products = simd::has_many_registers<V>;

/// One sample's row (in), and where its sums (out) without their bias go.
template <typename Scalar>
struct SampleProduct {
  const Scalar* input;
  Scalar* sums;
};

namespace detail {

/// Rows of output (out, samples) = weight (out, in) input (in, samples) + bias, and the sample's sums.
template <typename V, std::size_t Rows, std::size_t Vectors>
RETORT_NOINLINE void joint_tile(simd::Rows<const simd::ScalarOf<V>> weight, std::size_t in,
                                const simd::ScalarOf<V>* bias, const simd::ScalarOf<V>* input,
                                simd::ScalarOf<V>* output, SampleProduct<simd::ScalarOf<V>> sample) {
  using Scalar = simd::ScalarOf<V>;
  using Operand = simd::VectorOperand<Scalar>;
  simd::Tile<V, Rows, Vectors> tile;
  begin_with(bias, tile);
  simd::DotSums<V, 1, Rows> sums;
  const auto multiply_panel = [&](std::size_t depth, std::size_t count) __attribute__((always_inline)) {
    simd::outer_tile(tile, {weight.data + depth, weight.stride, 1},
                     Operand{input + depth * simd::tile_width<V>, simd::tile_width<V>}, count);
  };
  std::size_t d = 0;
  for (; d + simd::lanes<V> <= in; d += simd::lanes<V>) {
    multiply_panel(d, simd::lanes<V>);
    sums.add(Operand{sample.input, 0}, Operand{weight.data, weight.stride},
             [&](const Scalar* values) __attribute__((always_inline)) { return simd::load<V>(values + d); });
    if constexpr (Vectors > 1) {  // one vector alone takes all the reads that a core has time for
      simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
        simd::prefetch<simd::PrefetchFor::reading>(weight.data, ((Rows + r) * weight.stride + d) * sizeof(Scalar));
      });
    }
  }
  if (d < in) {
    multiply_panel(d, in - d);
    sums.add(Operand{sample.input, 0}, Operand{weight.data, weight.stride},
             [&](const Scalar* values) { return simd::load_partial<V>(values + d, in - d); });
  }
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    simd::detail::unroll<Vectors>([&](std::size_t v) __attribute__((always_inline)) {
      tile.sums[r][v].store_aligned(output + r * simd::tile_width<V> + v * simd::lanes<V>);
    });
  });
  sums.write(sample.sums);
}

/// The first `Vectors` vectors of the panel, and the sample.
template <typename L, typename V, std::size_t Vectors>
void joint_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                RowRange rows, SampleProduct<simd::ScalarOf<V>> sample) {
  constexpr std::size_t high = 2 * simd::tile_rows;
  constexpr std::size_t rest = L::output_size % high;
  const auto take = [&]<std::size_t Rows>(std::size_t row) {
    joint_tile<V, Rows, Vectors>({parameters + row * L::input_size, L::input_size}, L::input_size,
                                 L::has_bias ? parameters + bias_offset<L> + row : nullptr, input,
                                 output + row * simd::tile_width<V>, {sample.input, sample.sums + row});
  };
  std::size_t row = rows.begin;
  for (; row + high <= rows.end; row += high) {
    take.template operator()<high>(row);
  }
  if constexpr (rest > 0) {
    if (row < rows.end) {
      take.template operator()<rest>(row);
    }
  }
}

}  // namespace detail

/// Rows of one panel's output, as of forward_rows, and the sample's sums. The sample goes with one vector of the panel,
/// or with two, so that the others are pairs. Rows begin at multiples of two tiles, and end there or with the output.
template <typename L, typename V>
void forward_joint_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                        const PanelRows<simd::ScalarOf<V>>& rows, SampleProduct<simd::ScalarOf<V>> sample) {
  std::size_t together = simd::lanes<V>;
  if (rows.vectors() % 2 != 0) {
    detail::joint_rows<L, V, 1>(parameters, input, output, rows, sample);
  } else {
    detail::joint_rows<L, V, 2>(parameters, input, output, rows, sample);
    together *= 2;
  }
  if (rows.samples > together) {
    forward_rows<L, V>(parameters, input + together, output + together, {rows, rows.index, rows.samples - together});
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
