// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of panels outside of training with bfloat16 factors and float sums.

#include <cstddef>

#include "retort/backend/eigen/panel/bf16_forward.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// In place of OwnPrecision (row_inference.hpp): a Linear layer reads words, two numbers each.
struct Bf16Words {
  static constexpr bool by_words = true;

  /// The calling thread's memory for the words of panels of up to `features` features.
  static float* words(std::size_t panels, std::size_t features) {
    struct WordsTag;
    return internal::thread_scratch<float, WordsTag>(panels * size(features));
  }

  /// Words of a panel of so many features.
  static constexpr std::size_t size(std::size_t features) { return pairs(features) * width<float>; }

  static void keep(const float* panel, const PanelRows<float>& rows, float* words) {
    pair_rows<simd::Vector<float>>(panel, rows, words);
  }

  template <typename L>
  static void forward(const float* parameters, const float* words, float* output, const PanelRows<float>& rows) {
    forward_word_rows<L>(parameters, rows, [&](const auto& rows_of_panel) { rows_of_panel(words, output, rows); });
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
