// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A Linear layer's products with a few samples, each a row. Reading the weights is what one sample costs, so samples
/// share each weight that is read.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Samples that panels take in about the time of one: a vector's lanes, or a whole tile's where vectors are short and
/// registers few.
template <typename V>
inline constexpr std::size_t samples_at_once =
    simd::has_many_registers<V> || simd::lanes<V> >= 8 ? simd::lanes<V> : simd::tile_width<V>;

/// As many of them as are faster in rows, as measured on Zen 4 and Zen 5 with each kind of vectors of an x86-64:
/// whatever fills no vector, since to fill a part of one takes longer, or three quarters of a tile.
template <typename V>
inline constexpr std::size_t few_samples =
    samples_at_once<V> == simd::lanes<V> ? simd::lanes<V> - 1 : samples_at_once<V> * 3 / 4;

/// Whether rows of a few samples are so narrow that they lie without gaps, to fill vectors together, and stay uncut.
template <typename V>
constexpr bool is_narrow(std::size_t features) {
  return features < 4 * simd::lanes<V>;
}

/// Rows of a few samples may be cut at multiples of so many columns.
template <typename V>
constexpr std::size_t column_step(std::size_t features) {
  return is_narrow<V>(features) ? features : simd::lanes<V>;
}

/// From one such row to the next.
template <typename V>
constexpr std::size_t row_stride(std::size_t features) {
  return is_narrow<V>(features) ? features : whole_vectors<V>(features);
}

namespace detail {

/// `Columns` outputs of one sample, without their bias.
template <typename V, std::size_t Columns>
RETORT_NOINLINE void sample_tile(const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* weight, std::size_t in,
                                 simd::ScalarOf<V>* output) {
  simd::dot_tile<V, 1, Columns>({input, in}, {weight, in}, in, output);
}

/// Adds the bias to outputs of one sample.
template <typename L, typename V>
void add_bias(const simd::ScalarOf<V>* parameters, RowRange rows, simd::ScalarOf<V>* output) {
  if constexpr (L::has_bias) {
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
      output[i] += parameters[bias_offset<L> + i];
    }
  }
}

template <typename L, typename V>
void infer_sample_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                       RowRange rows) {
  constexpr std::size_t rest = L::output_size % simd::lanes<V>;
  std::size_t row = rows.begin;
  for (; row + simd::lanes<V> <= rows.end; row += simd::lanes<V>) {
    sample_tile<V, simd::lanes<V>>(input, parameters + row * L::input_size, L::input_size, output + row);
  }
  if constexpr (rest > 0) {
    if (row < rows.end) {
      sample_tile<V, rest>(input, parameters + row * L::input_size, L::input_size, output + row);
    }
  }
  add_bias<L, V>(parameters, rows, output);
}

/// How many of `samples` share each weight that is read. With many registers up to six, in groups of about the same
/// size: products with four take longer to read than to calculate where a processor begins two in a cycle and reads the
/// weights from its last cache.
template <typename V>
constexpr std::size_t group_of(std::size_t samples) {
  if constexpr (simd::has_many_registers<V>) {
    const std::size_t groups = (samples + 5) / 6;
    return (samples + groups - 1) / groups;
  }
  return std::min(std::bit_floor(samples), std::size_t{4});
}

/// Columns of a tile of so many samples: as many as make a vector of sums, or enough sums to keep a core busy.
template <typename V>
constexpr std::size_t columns_of(std::size_t samples) {
  const std::size_t least = simd::has_many_registers<V> ? std::min(std::size_t{4}, simd::lanes<V>) : 1;
  return std::max(std::bit_floor(simd::lanes<V> / samples), least);
}

/// `Columns` outputs of each of `Samples` samples, (Samples, Columns), without their bias. Rows of the input have
/// row_stride.
template <typename V, std::size_t Samples, std::size_t Columns>
RETORT_NOINLINE void samples_tile(const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* weight, std::size_t in,
                                  simd::ScalarOf<V>* output) {
  simd::dot_tile<V, Samples, Columns>({input, row_stride<V>(in)}, {weight, in}, in, output);
}

/// Columns [begin, end) of output (Samples, out) = input (Samples, in) weight (out, in) + bias. Rows of input and
/// output have row_stride.
template <typename L, typename V, std::size_t Samples>
void infer_sample_columns(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input,
                          simd::ScalarOf<V>* output, RowRange columns) {
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t most = columns_of<V>(Samples);
  constexpr std::size_t rest = L::output_size % most;
  constexpr std::size_t stride = row_stride<V>(L::output_size);
  const auto tile = [&]<std::size_t Columns>(std::size_t column) {
    std::array<Scalar, Samples * Columns> sums;
    samples_tile<V, Samples, Columns>(input, parameters + column * L::input_size, L::input_size, sums.data());
    for (std::size_t sample = 0; sample < Samples; ++sample) {
      for (std::size_t c = 0; c < Columns; ++c) {
        output[sample * stride + column + c] =
            sums[sample * Columns + c] + (L::has_bias ? parameters[bias_offset<L> + column + c] : Scalar{0});
      }
    }
  };
  std::size_t column = columns.begin;
  for (; column + most <= columns.end; column += most) {
    tile.template operator()<most>(column);
  }
  if constexpr (rest > 0) {
    if (column < columns.end) {
      tile.template operator()<rest>(column);
    }
  }
}

/// Calls `function.operator()<Group>()` for the group of several samples.
template <typename V, std::size_t Group = std::min(std::size_t{6}, few_samples<V>), typename Function>
void with_group(std::size_t samples, const Function& function) {
  constexpr std::size_t least = simd::has_many_registers<V> ? 2 : 1;
  if constexpr (Group > least) {
    if (group_of<V>(Group) != Group || samples < Group) {
      with_group<V, Group - 1>(samples, function);
      return;
    }
  }
  if constexpr (group_of<V>(Group) == Group) {
    function.template operator()<Group>();
  }
}

/// The same for any number of samples, in groups. Few columns at a time, whose weights stay in the cache until all
/// samples have met them.
template <typename L, typename V>
void infer_sample_rows(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input, simd::ScalarOf<V>* output,
                       std::size_t samples, RowRange rows) {
  if (samples == 1) {
    infer_sample_rows<L, V>(parameters, input, output, rows);
    return;
  }
  for (std::size_t row = rows.begin; row < rows.end; row += simd::lanes<V>) {
    const RowRange columns{row, std::min(row + simd::lanes<V>, rows.end)};
    std::size_t sample = 0;
    while (sample < samples) {
      with_group<V>(group_of<V>(samples - sample), [&]<std::size_t Samples>() {
        infer_sample_columns<L, V, Samples>(parameters, input + sample * row_stride<V>(L::input_size),
                                            output + sample * row_stride<V>(L::output_size), columns);
        sample += Samples;
      });
    }
  }
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
