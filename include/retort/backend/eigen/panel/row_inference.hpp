// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Inference of fewer panels than there are threads: layer by layer, the rows of each wide layer split among the
/// threads, as in a training step.

#include <cstddef>
#include <utility>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inference_scratch.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// RowChunks of operation Index, a Linear layer.
template <Model M, std::size_t Index>
using LayerChunks = RowChunks<Plan<M>::widths[Index + 1], Plan<M>::widths[Index], Plan<M>::widths[Index + 1]>;

/// Calls function(panel, begin, end) for rows of a layer and each of `panels`, on the backend's threads. Pieces of the
/// same rows, which read the same weights, are taken one after another.
template <typename Chunks, typename Function>
void for_each_piece(const Eigen& backend, std::size_t panels, const Function& function) {
  backend.pool().for_each_chunk(Chunks::count * panels, [&](std::size_t piece) {
    const std::size_t chunk = piece / panels;
    function(piece % panels, Chunks::begin(chunk), Chunks::end(chunk));
  });
}

}  // namespace detail

/// Whether a model has a layer wide enough to be worth a second thread.
template <Model M>
inline constexpr bool has_wide_layer = [] {
  bool result = false;
  for_each_index<Plan<M>::size>([&]<std::size_t Index>() {
    if constexpr (!Plan<M>::template is_chain<Index>) {
      result = result || detail::LayerChunks<M, Index>::count > 1;
    }
  });
  return result;
}();

/// The logits of `panels` panels from panel `first` on, in rows (size, out) of all samples; their values are kept in
/// the calling thread's scratch. The same bits as one panel at a time. Inputs: see inference_inputs.hpp.
template <Model M, typename Scalar, typename Inputs>
void infer_rows(const Eigen& backend, const Scalar* parameters, const Inputs& inputs, std::size_t size,
                std::size_t first, std::size_t panels, Scalar* logits) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  InferenceScratch<M, Scalar, typename Inputs::Element> scratch(panels);
  const auto panel_of = [](auto* values, std::size_t panel, std::size_t features) {
    return values + panel * features * width<Scalar>;
  };
  const auto samples_of = [&](std::size_t panel) { return samples_in<Scalar>(first + panel, size); };
  backend.pool().for_each_chunk(
      panels, [&](std::size_t panel) { inputs.fill(first + panel, panel_of(scratch.inputs, panel, M::input_size)); });
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    constexpr std::size_t in = Plan::widths[Index];
    constexpr std::size_t out = Plan::widths[Index + 1];
    if constexpr (!Plan::template is_chain<Index>) {
      constexpr bool has_chain = [] {
        if constexpr (Index + 1 < Plan::size) {
          return Plan::template is_chain<Index + 1>;
        }
        return false;
      }();
      detail::for_each_piece<detail::LayerChunks<M, Index>>(
          backend, panels, [&](std::size_t panel, std::size_t begin, std::size_t end) {
            const Scalar* layer = parameters + M::parameter_offset(Plan::first_layer[Index]);
            const std::size_t samples = samples_of(panel);
            Scalar* output = panel_of(scratch.other, panel, out);
            if constexpr (Index == 0) {
              inputs.template forward<Operation>(layer, first + panel, panel_of(scratch.inputs, panel, in), output,
                                                 begin, end);
            } else {
              forward_rows<Operation, V>(layer, panel_of(scratch.current, panel, in), output, begin, end,
                                         vectors_for<V>(samples));
            }
            if constexpr (has_chain) {
              chain_rows<false, V>(typename Plan::template Operation<Index + 1>{}, {}, out, begin, end, first + panel,
                                   vectors_for<V>(samples), output);
            }
            if constexpr (Index + 1 + has_chain == Plan::size) {
              simd::transpose<V>({output + begin * width<Scalar>, width<Scalar>}, end - begin, samples,
                                 {logits + (first + panel) * width<Scalar> * out + begin, out});
            }
          });
      std::swap(scratch.current, scratch.other);
    } else if constexpr (Index == 0) {  // others follow their Linear layer above
      detail::for_each_piece<RowChunks<in, in, 256>>(
          backend, panels, [&](std::size_t panel, std::size_t begin, std::size_t end) {
            chain_rows<false, V>(Operation{}, {}, in, begin, end, first + panel, vectors_for<V>(samples_of(panel)),
                                 panel_of(scratch.current, panel, in));
          });
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
