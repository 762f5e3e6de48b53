// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One sample through a whole model: a chain of matrix-vector products. Reading the weights is their cost, so the rows
/// of a large layer are split among the threads.

#include <algorithm>
#include <array>
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

/// How the rows of a layer's product with one sample are cut for the threads: pieces of whole tiles, or one piece where
/// a second thread would cost more to wake than it saves.
template <typename L, typename V>
using SamplePieces = EvenPieces<L::output_size, L::input_size * L::output_size, simd::lanes<V>, (std::size_t{1} << 19)>;

/// `Columns` outputs of one sample.
template <typename V, std::size_t Columns>
RETORT_NOINLINE void sample_tile(const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* weight, std::size_t in,
                                 simd::ScalarOf<V>* output) {
  simd::dot_tile<V, 1, Columns>({input, in}, {weight, in}, in, output);
}

/// Rows of output (out) = weight (out, in) input (in) + bias: whole tiles, then the rest at the layer's end.
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

}  // namespace detail

/// The logits (out) of one sample, input (in), on the backend's threads.
template <Model M, typename Scalar>
void infer_sample(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Scalar* input, Scalar* logits) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  const Scalar* current = input;
  const InferenceScratch<M, Scalar> scratch(1);
  std::array<Scalar*, 2> halves{scratch.current, scratch.other};  // to be written, and written last
  const auto own_values = [&](std::size_t features) {             // to be changed in place, which the input is not
    if (current == input) {
      std::copy_n(input, features, halves[0]);
      current = halves[0];
      std::swap(halves[0], halves[1]);
    }
    return halves[1];
  };
  internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    constexpr std::size_t features = Plan::widths[Index];
    constexpr std::size_t layer = Plan::first_layer[Index];
    const Scalar* parameters = tensors.parameters + M::parameter_offset(layer);
    if constexpr (Plan::template is_linear<Index>) {
      using Pieces = detail::SamplePieces<Operation, V>;
      if constexpr (Pieces::count == 1) {  // a small model answers in less than a microsecond: no branch to spare
        detail::infer_sample_rows<Operation, V>(parameters, current, halves[0], {0, Operation::output_size});
      } else {
        for_each_piece<Pieces>(backend.pool(), [&](RowRange rows) {
          detail::infer_sample_rows<Operation, V>(parameters, current, halves[0], rows);
        });
      }
      current = halves[0];
      std::swap(halves[0], halves[1]);
    } else if constexpr (is_layer_norm<Operation>) {
      Scalar* values = own_values(features);
      backend::detail::LayerNormRow<Operation, Scalar>{parameters, parameters + bias_offset<Operation>, values,
                                                       values}(0);
    } else if constexpr (is_batch_norm<Operation>) {
      Scalar* values = own_values(features);
      const Scalar* buffers = tensors.buffers + M::buffer_offset(layer);
      backend::detail::BatchNormInference<Operation, Scalar>{parameters, parameters + bias_offset<Operation>,
                                                             buffers,    buffers + tensor_offset(Operation::buffers, 1),
                                                             values,     values}(0);
    } else if constexpr (!Operation::only_dropout) {
      // One row, in which the sample's features stand where a panel has samples.
      detail::apply_layers<false, false, V>(Operation{}, {}, features, PanelRows<Scalar>{{0, 1}, 0, features},
                                            own_values(features));
    }
  });
  std::copy_n(current, M::output_size, logits);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
