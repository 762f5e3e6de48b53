// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a training step on panels with bfloat16 factors and float sums (docs/design.md, 16).

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/bf16_forward.hpp"
#include "retort/backend/eigen/panel/input_gradient.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/eigen/panel/weight_gradient.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/bfloat16.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Every product reads its factors as words of two numbers that are multiplied together: neighbouring inputs (forward),
/// outputs (input gradient) or samples (weight gradient). The last of an odd number is paired with a zero.
template <Model Whole>
class Bf16Products {
  using M = AfterPooling<Whole>;

 public:
  explicit Bf16Products(std::size_t capacity)
      : capacity_(capacity),
        by_feature_(feature_offset(Plan<M>::linear_count, capacity)),
        by_sample_(sample_offset(Plan<M>::linear_count, capacity)),
        gradient_rows_(Plan<M>::widest * capacity / 2),
        gradient_pairs_(pairs(Plan<M>::widest) * capacity) {}

  void gather(const Eigen& backend, const TrainingBatch& batch, float* inputs) {
    const data::GatherConstants<float> constants(batch.data);
    backend.pool().for_each_piece(count_for<float>(batch.size), [&](std::size_t index) {
      const std::size_t first = index * width<float>;
      const std::span samples(batch.samples + first, samples_in<float>(index, batch.size));
      fetch_ahead(batch, first, samples.size());
      float* panel = inputs + first * M::input_size;
      if constexpr (!pools_inputs<Whole>) {
        if (!batch.view.augmentation.is_set()) {
          fill_panel<V>(batch.data, constants, samples, panel);
          return;
        }
      }
      float* rows = internal::thread_scratch<float, RowsTag>(width<float> * M::input_size);
      gather_input_rows<Whole>(batch, constants, samples, simd::Rows<float>{rows, M::input_size});
      fill_panel<V>({rows, M::input_size}, samples.size(), M::input_size, panel);
    });
  }

  template <std::size_t Index>
  void keep_input(const Eigen& backend, std::size_t batch, const float* values) {
    constexpr std::size_t features = Stage<M, Index>::in;
    constexpr std::size_t stride = sample_stride<float>(features);
    for_each_operand_piece<V>(backend.pool(), features, [&](RowRange rows) {
      for_each_panel<float>(batch, rows, [&](const PanelRows<float>& panel) {
        const float* numbers = values + panel.place(features);
        pair_rows<V>(numbers, panel, by_feature(Index) + panel.place(pairs(features)));
        float* by_sample_words = by_sample(Index) + panel.first_sample() / 2 * stride;
        alignas(arena_alignment) std::array<float, simd::lanes<V> * width<float> / 2> square;
        for (std::size_t row = rows.begin; row < rows.end; row += simd::lanes<V>) {
          const std::size_t count = std::min(simd::lanes<V>, rows.end - row);
          pair_samples(numbers + row * width<float>, count, panel.samples, square.data());
          simd::transpose<V>({square.data(), width<float> / 2}, count, pairs(panel.samples),
                             {by_sample_words + row, stride});
        }
      });
    });
  }

  template <std::size_t Index>
  void forward(const float* parameters, const float* /*input*/, float* output, std::size_t batch, RowRange rows) {
    using L = typename Stage<M, Index>::Linear;
    forward_word_rows<L>(parameters, rows, [&](const auto& rows_of_panel) {
      for_each_panel<float>(batch, rows, [&](const PanelRows<float>& panel) {
        rows_of_panel(by_feature(Index) + panel.place(pairs(L::input_size)), output + panel.place(L::output_size),
                      panel);
      });
    });
  }

  template <std::size_t Index>
  void keep_output_gradient(const Eigen& backend, std::size_t batch, const float* gradient) {
    constexpr std::size_t features = Stage<M, Index>::out;
    for_each_operand_piece<V>(backend.pool(), features, [&](RowRange rows) {
      for_each_panel<float>(batch, rows, [&](const PanelRows<float>& panel) {
        const std::size_t first = panel.place(features) + rows.begin * width<float>;
        pair_samples(gradient + first, rows.count(), panel.samples, gradient_rows_.data() + first / 2);
        if constexpr (Stage<M, Index>::operation > Plan<M>::first_trained) {
          pair_rows<V>(gradient + panel.place(features), panel, gradient_pairs_.data() + panel.place(pairs(features)));
        }
      });
    });
  }

  template <std::size_t Index>
  void input_gradient(const float* parameters, const float* /*output_gradient*/, float* input_gradient,
                      std::size_t batch, RowRange rows) {
    using L = typename Stage<M, Index>::Linear;
    constexpr std::size_t most = InputPieces<L>::size;
    constexpr std::size_t stride = whole_vectors<V>(most);
    // Tiles read a block of so many outputs while it stays in the first-level cache.
    constexpr std::size_t step = 96;
    float* block = internal::thread_scratch<float, BlockTag>(step / 2 * stride);
    for (std::size_t out = 0; out < L::output_size; out += step) {
      const std::size_t count = std::min(step, L::output_size - out);
      const float* weight = parameters + out * L::input_size + rows.begin;
      pair_weight_rows<L::input_size>(weight, count, rows.count(), {block, stride});
      const bool last = out + step >= L::output_size;
      for_each_row_tile<L::input_size>(rows, [&]<std::size_t Rows>(std::size_t row) {
        const PrefetchRows<most, L::input_size> prefetch{last ? nullptr : weight + step * L::input_size,
                                                         (row - rows.begin) / simd::tile_rows * pairs(step)};
        for_each_panel<float>(batch, rows, [&](const PanelRows<float>& panel) {
          const float* gradient = gradient_pairs_.data() + panel.place(pairs(L::output_size)) + out / 2 * width<float>;
          float* tile = input_gradient + panel.place(L::input_size) + row * width<float>;
          for_each_vector_tile<V>(panel.vectors(), [&]<std::size_t Vectors>(std::size_t vector) {
            const std::size_t column = vector * simd::lanes<V>;
            detail::input_gradient_tile<V, Rows, Vectors, simd::MultiplyWords>(
                {block + (row - rows.begin), stride}, pairs(count), out == 0, gradient + column, tile + column,
                prefetch);
          });
        });
      });
    }
  }

  template <std::size_t Index, typename Sink>
  void weight_gradient(const float* /*output_gradient*/, const float* sums, std::size_t batch, RowRange rows,
                       const Sink& sink) {
    using L = typename Stage<M, Index>::Linear;
    const SampleMajor<float, simd::MultiplyWords, 2> input{by_sample(Index), sample_stride<float>(L::input_size)};
    weight_gradient_rows<L, V>(gradient_rows_.data(), sums, input, batch, rows, sink);
  }

 private:
  using V = simd::Vector<float>;
  struct RowsTag;
  struct BlockTag;

  static constexpr std::size_t feature_offset(std::size_t stage, std::size_t capacity) {
    return operand_offset<M>(stage, [&]<typename L>() { return capacity * pairs(L::input_size); });
  }
  static constexpr std::size_t sample_offset(std::size_t stage, std::size_t capacity) {
    return operand_offset<M>(stage, [&]<typename L>() { return capacity / 2 * sample_stride<float>(L::input_size); });
  }
  /// Words of a stage's input: (in / 2, capacity) in panels, and (capacity / 2, in) with sample_stride.
  float* by_feature(std::size_t stage) { return by_feature_.data() + feature_offset(stage, capacity_); }
  float* by_sample(std::size_t stage) { return by_sample_.data() + sample_offset(stage, capacity_); }

  /// Words of rows 2 i and 2 i + 1 of `count` rows of a weight that is `In` wide, from its first `columns` columns.
  template <std::size_t In>
  static void pair_weight_rows(const float* weight, std::size_t count, std::size_t columns, simd::Rows<float> words) {
    for (std::size_t row = 0; row < count; row += 2) {
      simd::for_each_vector<V>(columns, [&](std::size_t at, std::size_t size) {
        const float* even = weight + row * In + at;
        const V odd = row + 1 < count ? simd::load<V>(even + In, size) : V(0.0f);
        simd::pair_words(simd::load<V>(even, size), odd).store_aligned(words.data + row / 2 * words.stride + at);
      });
    }
  }

  /// Fetches `Columns` columns of a weight's rows: a line with each step along a tile's depth, after `before` earlier
  /// lines.
  template <std::size_t Columns, std::size_t In>
  struct PrefetchRows {
    const float* weight;  // null for nothing
    std::size_t before;
    RETORT_INLINE void operator()(std::size_t depth) const {
      constexpr std::size_t line = arena_alignment / sizeof(float);
      constexpr std::size_t lines = Columns / line + 1;
      const std::size_t index = before + depth;
      if (weight != nullptr) {
        simd::prefetch<simd::PrefetchFor::reading>(weight, (index / lines * In + index % lines * line) * sizeof(float));
      }
    }
  };

  /// Words of samples 2 i and 2 i + 1 in rows of a panel; zeros for those after the last sample.
  static void pair_samples(const float* panel, std::size_t rows, std::size_t samples, float* words) {
    for (std::size_t row = 0; row < rows; ++row) {
      simd::write_neighbour_words<V>(panel + row * width<float>, samples, words + row * width<float> / 2);
    }
  }

  std::size_t capacity_;
  AlignedBuffer<float> by_feature_;
  AlignedBuffer<float> by_sample_;
  AlignedBuffer<float> gradient_rows_;   // words (out, capacity / 2) in panels
  AlignedBuffer<float> gradient_pairs_;  // words (out / 2, capacity) in panels
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
