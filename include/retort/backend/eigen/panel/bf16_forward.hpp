// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The outputs of a Linear layer on panels with bfloat16 factors and float sums, in training and outside.

#include <cstddef>

#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/simd/bfloat16.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

constexpr std::size_t pairs(std::size_t count) { return (count + 1) / 2; }

/// Words of rows 2 i and 2 i + 1 of a panel, for the pairs that begin in `rows`. The last of an odd number of rows is
/// paired with a zero.
template <typename V>
void pair_rows(const float* panel, const PanelRows<float>& rows, float* words) {
  const std::size_t samples = rows.vectors() * simd::lanes<V>;
  for (std::size_t row = rows.begin; row < rows.end; row += 2) {
    for (std::size_t at = 0; at < samples; at += simd::lanes<V>) {
      const float* even = panel + row * width<float> + at;
      const V odd = row + 1 < rows.end ? V::load_aligned(even + width<float>) : V(0.0f);
      simd::pair_words(V::load_aligned(even), odd).store_aligned(words + row / 2 * width<float> + at);
    }
  }
}

struct WeightWordsTag;

/// Outputs `rows` of layer L, a few at a time. Their weights become words, once for all panels: for_all(rows_of_panel)
/// calls rows_of_panel(input, output, panel) for each, where `input` has the words (in / 2, samples) of a panel and
/// `output` is a panel (out, samples).
template <typename L, typename ForAll>
void forward_word_rows(const float* parameters, RowRange rows, const ForAll& for_all) {
  using V = simd::Vector<float>;
  constexpr std::size_t stride = whole_vectors<V>(pairs(L::input_size));
  float* words = internal::thread_scratch<float, WeightWordsTag>(simd::tile_rows * stride);
  for_each_row_tile<L::output_size>(rows, [&]<std::size_t Rows>(std::size_t row) {
    const float* weight = parameters + row * L::input_size;
    const Affine<float> affine{1.0f, L::has_bias ? parameters + bias_offset<L> + row : nullptr};
    for (std::size_t r = 0; r < Rows; ++r) {
      simd::write_neighbour_words<V>(weight + r * L::input_size, L::input_size, words + r * stride);
    }
    const auto* next =
        row + Rows < rows.end ? reinterpret_cast<const std::byte*>(weight + Rows * L::input_size) : nullptr;
    for_all([&](const float* input, float* output, const PanelRows<float>& panel) {
      float* tile = output + row * width<float>;
      for_each_vector_tile<V>(panel.vectors(), [&]<std::size_t Vectors>(std::size_t vector) {
        const std::size_t column = vector * simd::lanes<V>;
        detail::forward_tile<V, Rows, Vectors, simd::MultiplyWords>(
            {words, stride}, pairs(L::input_size), affine, simd::VectorOperand<float>{input + column, width<float>},
            tile + column, next);
      });
    });
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
