// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A few samples through a whole model, each as a row. Reading the weights is what one sample costs, so the rows of a
/// large layer are split among the threads, and samples share each weight that is read.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/operations.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/generic/normalized_row.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/tile.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// How the rows of a layer's product with few samples are cut for threads: pieces of whole tiles, or one piece where
/// not even the most samples are worth a second thread.
template <typename L, typename V>
using SamplePieces = EvenPieces<L::output_size, L::input_size * L::output_size, simd::lanes<V>, (std::size_t{1} << 15)>;

/// Whether a layer's product with so many samples takes longer than a thread takes to wake: 7 us of a Zen 4 core.
template <typename L>
constexpr bool is_worth_threads(std::size_t samples) {
  return samples * L::input_size * L::output_size >= std::size_t{1} << 18;
}

/// `Columns` outputs of one sample, without their bias.
template <typename V, std::size_t Columns>
RETORT_NOINLINE void sample_tile(const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* weight, std::size_t in,
                                 simd::ScalarOf<V>* output) {
  simd::dot_tile<V, 1, Columns>({input, in}, {weight, in}, in, output);
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
  if constexpr (L::has_bias) {
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
      output[i] += parameters[bias_offset<L> + i];
    }
  }
}

/// `Columns` outputs of each of `Samples` samples, (Samples, Columns), without their bias.
template <typename V, std::size_t Samples, std::size_t Columns>
RETORT_NOINLINE void samples_tile(const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* weight, std::size_t in,
                                  simd::ScalarOf<V>* output) {
  simd::dot_tile<V, Samples, Columns>({input, in}, {weight, in}, in, output);
}

/// Columns [begin, end) of output (Samples, out) = input (Samples, in) weight (out, in) + bias.
template <typename L, typename V, std::size_t Samples>
void infer_sample_columns(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input,
                          simd::ScalarOf<V>* output, RowRange columns) {
  using Scalar = simd::ScalarOf<V>;
  constexpr std::size_t most = std::bit_floor(simd::lanes<V> / Samples);  // a tile's sums are added up in one vector
  constexpr std::size_t rest = L::output_size % most;
  const auto tile = [&]<std::size_t Columns>(std::size_t column) {
    std::array<Scalar, Samples * Columns> sums;
    samples_tile<V, Samples, Columns>(input, parameters + column * L::input_size, L::input_size, sums.data());
    for (std::size_t sample = 0; sample < Samples; ++sample) {
      for (std::size_t c = 0; c < Columns; ++c) {
        output[sample * L::output_size + column + c] =
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

/// The same for any number of samples, four at once and then the rest. Few columns at a time, whose weights stay in the
/// cache until all samples have met them.
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
    const auto take = [&]<std::size_t Samples>(std::size_t end) {
      for (; sample + Samples <= end; sample += Samples) {
        infer_sample_columns<L, V, Samples>(parameters, input + sample * L::input_size,
                                            output + sample * L::output_size, columns);
      }
    };
    if constexpr (simd::lanes<V> >= 16) {
      // None alone: the last five are three and two.
      take.template operator()<4>(samples % 4 == 1 ? samples - 2 : samples);
      take.template operator()<3>(samples);
      take.template operator()<2>(samples);
    } else {
      if constexpr (simd::lanes<V> >= 4) {
        take.template operator()<4>(samples);
      }
      take.template operator()<2>(samples);
      take.template operator()<1>(samples);
    }
  }
}

}  // namespace detail

/// Samples that panels take in about the time of one: a vector's lanes; with few registers a whole tile's, as a tile of
/// one vector has too few sums for a processor that begins two products in a cycle.
template <typename V>
inline constexpr std::size_t samples_at_once = simd::has_many_registers<V> ? simd::lanes<V> : simd::tile_width<V>;

/// As many of them as are faster in rows, as measured on Zen 4 with each kind of vectors of an x86-64. With many
/// registers that is whatever fills no vector, since to fill a part of one takes longer.
template <typename V>
inline constexpr std::size_t few_samples =
    simd::has_many_registers<V> ? simd::lanes<V> - 1 : samples_at_once<V> * 3 / 4;

/// The logits (samples, out) of a few samples, input (samples, in), on the backend's threads. Precondition: samples <=
/// few_samples, or 1.
template <Model M, typename Scalar>
void infer_samples(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Scalar* input, Scalar* logits,
                   std::size_t samples) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  const Scalar* current = input;
  const InferenceScratch<M, Scalar> scratch(1);
  std::array<Scalar*, 2> halves{scratch.current, scratch.other};  // to be written, and written last
  const auto own_values = [&](std::size_t features) {             // to be changed in place, which the input is not
    if (current == input) {
      std::copy_n(input, samples * features, halves[0]);
      current = halves[0];
      std::swap(halves[0], halves[1]);
    }
    return halves[1];
  };
  if (samples > 1) {
    own_values(M::input_size);  // where vectors do not cross cache lines
  }
  internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    constexpr std::size_t features = Plan::widths[Index];
    constexpr std::size_t layer = Plan::first_layer[Index];
    const Scalar* parameters = tensors.parameters + M::parameter_offset(layer);
    if constexpr (Plan::template is_linear<Index>) {
      using Pieces = detail::SamplePieces<Operation, V>;
      const auto take = [&](RowRange rows) {
        detail::infer_sample_rows<Operation, V>(parameters, current, halves[0], samples, rows);
      };
      bool shared = false;
      if constexpr (Pieces::count > 1) {  // a small model answers in less than a microsecond: no branch to spare
        shared = detail::is_worth_threads<Operation>(samples);
        if (shared) {
          for_each_piece<Pieces>(backend.pool(), take);
        }
      }
      if (!shared) {
        take({0, Operation::output_size});
      }
      current = halves[0];
      std::swap(halves[0], halves[1]);
    } else if constexpr (is_layer_norm<Operation>) {
      Scalar* values = own_values(features);
      const backend::detail::LayerNormRow<Operation, Scalar> normalise{parameters, parameters + bias_offset<Operation>,
                                                                       values, values};
      for (std::size_t sample = 0; sample < samples; ++sample) {
        normalise(sample);
      }
    } else if constexpr (is_batch_norm<Operation>) {
      Scalar* values = own_values(features);
      const Scalar* buffers = tensors.buffers + M::buffer_offset(layer);
      const backend::detail::BatchNormInference<Operation, Scalar> normalise{
          parameters, parameters + bias_offset<Operation>,
          buffers,    buffers + tensor_offset(Operation::buffers, 1),
          values,     values};
      for (std::size_t sample = 0; sample < samples; ++sample) {
        normalise(sample);
      }
    } else if constexpr (!Operation::only_dropout) {
      // One row, in which all samples' features stand where a panel has samples.
      detail::apply_layers<false, false, V>(Operation{}, {}, features, PanelRows<Scalar>{{0, 1}, 0, samples * features},
                                            own_values(features));
    }
  });
  std::copy_n(current, samples * M::output_size, logits);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
