// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A Linear layer's product with the last panel of a prediction, and with one sample behind it, for which a panel has
/// no room. The sample meets each weight while it is in the first-level cache: a core reads its second-level cache
/// hardly faster than the last, and reading the weights is what one sample costs.
///
/// A panel of one vector needs a read of a weight for each multiplication, which is more than a core has time for. So
/// its rows are paired: two vectors hold (sample 0 of row 0, sample 0 of row 1, sample 1 of row 0, ...), and a read of
/// two weights serves both. Its sums are then those of the even rows and of the odd ones.

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/unroll.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Whether there are registers for the sums of a tile and of a sample, and an instruction that reads a pair.
template <typename V>
inline constexpr bool has_joint_products = simd::detail::has_masks<V>;

/// Elements of a vector's rows in pairs.
template <typename V>
constexpr std::size_t paired_size(std::size_t features) {
  return (features + features % 2) * simd::lanes<V>;
}

/// `paired` (features / 2, two vectors) of the first vector of a panel (features, samples). The last of an odd number
/// of rows is paired with zeros.
template <typename V>
void pair_rows_of_vector(const simd::ScalarOf<V>* panel, std::size_t features, simd::ScalarOf<V>* paired) {
  using Scalar = simd::ScalarOf<V>;
  for (std::size_t row = 0; row < features; row += 2) {
    const Scalar* even = panel + row * simd::tile_width<V>;
    const V odd = row + 1 < features ? V::load_aligned(even + simd::tile_width<V>) : V(Scalar{0});
    const auto [low, high] = simd::zip(V::load_aligned(even), odd);
    low.store_aligned(paired + row * simd::lanes<V>);
    high.store_aligned(paired + (row + 1) * simd::lanes<V>);
  }
}

/// One sample's row (in), null for none, and where its sums (out) without their bias go.
template <typename Scalar>
struct SampleProduct {
  const Scalar* input;
  Scalar* sums;
};

namespace detail {

inline constexpr std::size_t joint_tile_rows = 2 * simd::tile_rows;

/// Writes the sums of a panel's two vectors.
template <typename V, std::size_t Rows>
RETORT_INLINE void write_vectors(const simd::Tile<V, Rows, 2>& tile, simd::ScalarOf<V>* output) {
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    simd::detail::unroll<2>([&](std::size_t v) __attribute__((always_inline)) {
      tile.sums[r][v].store_aligned(output + r * simd::tile_width<V> + v * simd::lanes<V>);
    });
  });
}

/// Adds up the sums of even and odd rows and the bias, null for none, and writes those of a panel's one vector.
template <typename V, std::size_t Rows>
RETORT_INLINE void write_paired(const simd::Tile<V, Rows, 2>& tile, const simd::ScalarOf<V>* bias,
                                simd::ScalarOf<V>* output) {
  using Scalar = simd::ScalarOf<V>;
  simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {
    alignas(arena_alignment) std::array<Scalar, 2 * simd::lanes<V>> sums;
    tile.sums[r][0].store_aligned(sums.data());
    tile.sums[r][1].store_aligned(sums.data() + simd::lanes<V>);
    const Scalar offset = bias != nullptr ? bias[r] : Scalar{0};
    for (std::size_t i = 0; i < simd::lanes<V>; ++i) {
      output[r * simd::tile_width<V> + i] = sums[2 * i] + sums[2 * i + 1] + offset;
    }
  });
}

/// Rows of output (out, samples) = weight (out, in) input (in, samples) + bias for two vectors of a panel, or for one
/// whose rows are paired, and the sums of `sample`.
template <typename V, std::size_t Rows, bool paired>
RETORT_NOINLINE void joint_tile(const simd::ScalarOf<V>* weight, std::size_t in, const simd::ScalarOf<V>* bias,
                                const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                                SampleProduct<simd::ScalarOf<V>> sample) {
  using Scalar = simd::ScalarOf<V>;
  using Operand = simd::VectorOperand<Scalar>;
  using Weights = std::conditional_t<paired, simd::PairOperand<Scalar>, simd::ScalarOperand<Scalar>>;
  constexpr std::size_t step = paired ? 2 : 1;
  constexpr std::size_t stride = paired ? 2 * simd::lanes<V> : simd::tile_width<V>;
  simd::Tile<V, Rows, 2> tile;
  begin_with(paired ? nullptr : bias, tile);
  simd::DotSums<V, 1, Rows> sums;
  const auto multiply_sample = [&](const auto& read) __attribute__((always_inline)) {
    sums.add(Operand{sample.input, 0}, Operand{weight, in}, read);
  };
  for (std::size_t d = 0; d < in; d += simd::lanes<V>) {
    const std::size_t count = std::min(simd::lanes<V>, in - d);
    simd::outer_tile<V, Rows, 2, simd::MultiplyElements, Operand, simd::NoPrefetch, Weights>(
        tile, {weight + d, in, step}, {input + d / step * stride, stride}, count / step);
    simd::detail::unroll<Rows>([&](std::size_t r) __attribute__((always_inline)) {  // the next tile's weights
      simd::prefetch<simd::PrefetchFor::reading>(weight, ((in + d) * Rows + r * simd::lanes<V>)*sizeof(Scalar));
    });
    if (sample.input != nullptr && count == simd::lanes<V>) {
      multiply_sample([&](const Scalar* values) __attribute__((always_inline)) { return simd::load<V>(values + d); });
    } else if (sample.input != nullptr) {
      multiply_sample([&](const Scalar* values) { return simd::load_partial<V>(values + d, count); });
    }
  }
  if (paired && in % 2 != 0) {
    simd::outer_tile(tile, {weight + in - 1, in, 1}, Operand{input + in / 2 * stride, stride}, 1);
  }
  if constexpr (paired) {
    write_paired(tile, bias, output);
  } else {
    write_vectors(tile, output);
  }
  if (sample.input != nullptr) {
    sums.write(sample.sums);
  }
}

/// Rows of the output of all layers whose rows end with a tile of `rest`.
template <typename V, std::size_t rest, bool paired>
void joint_rows(const simd::ScalarOf<V>* weight, std::size_t in, const simd::ScalarOf<V>* bias,
                const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output, RowRange rows,
                SampleProduct<simd::ScalarOf<V>> sample) {
  const auto take = [&]<std::size_t Rows>(std::size_t row) {
    joint_tile<V, Rows, paired>(weight + row * in, in, bias == nullptr ? nullptr : bias + row, input,
                                output + row * simd::tile_width<V>, {sample.input, sample.sums + row});
  };
  std::size_t row = rows.begin;
  for (; row + joint_tile_rows <= rows.end; row += joint_tile_rows) {
    take.template operator()<joint_tile_rows>(row);
  }
  if constexpr (rest > 0) {
    if (row < rows.end) {
      take.template operator()<rest>(row);
    }
  }
}

template <typename L, typename V, bool paired>
void joint_layer_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                      RowRange rows, SampleProduct<simd::ScalarOf<V>> sample) {
  joint_rows<V, L::output_size % joint_tile_rows, paired>(
      parameters, L::input_size, L::has_bias ? parameters + bias_offset<L> : nullptr, input, output, rows, sample);
}

}  // namespace detail

/// Rows of output of a panel of one vector, paired (in / 2, two vectors), and the sample's sums. Rows begin at
/// multiples of two tiles, and end there or with the output.
template <typename L, typename V>
void forward_paired_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* paired,
                         simd::ScalarOf<V>* output, RowRange rows, SampleProduct<simd::ScalarOf<V>> sample) {
  detail::joint_layer_rows<L, V, true>(parameters, paired, output, rows, sample);
}

/// The same for a panel of several vectors, whose output has the bits of forward_rows. The sample goes with two.
template <typename L, typename V>
void forward_joint_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* panel, simd::ScalarOf<V>* output,
                        const PanelRows<simd::ScalarOf<V>>& rows, SampleProduct<simd::ScalarOf<V>> sample) {
  constexpr std::size_t together = 2 * simd::lanes<V>;
  detail::joint_layer_rows<L, V, false>(parameters, panel, output, rows, sample);
  if (rows.samples > together) {
    forward_rows<L, V>(parameters, panel + together, output + together, {rows, rows.index, rows.samples - together});
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
