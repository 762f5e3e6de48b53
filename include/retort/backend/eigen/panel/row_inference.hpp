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
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// Calls function(panel, rows) for the pieces of a layer's rows and each of `panels`, on the backend's threads. Pieces
/// of the same rows, which read the same weights, follow one another.
template <typename Pieces, typename Function>
void for_each_panel_piece(const Eigen& backend, std::size_t panels, const Function& function) {
  backend.pool().for_each_piece(Pieces::count * panels,
                                [&](std::size_t piece) { function(piece % panels, Pieces::rows(piece / panels)); });
}

}  // namespace detail

/// Whether a model has a layer wide enough to be worth a second thread.
template <Model M>
inline constexpr bool has_wide_layer = [] {
  bool result = false;
  internal::for_each_index<Plan<M>::linear_count>(
      [&]<std::size_t Index>() { result = result || OutputPieces<typename Stage<M, Index>::Linear>::count > 1; });
  return result;
}();

/// The logits of `panels` panels from panel `first` on, in rows (size, out) of all samples. Activations are in the
/// calling thread's scratch. The same bits as one panel at a time. Inputs: see inference_inputs.hpp.
template <Model M, typename Scalar, typename Inputs>
void infer_rows(const Eigen& backend, const Scalar* parameters, const Inputs& inputs, std::size_t first,
                std::size_t panels, Scalar* logits) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  InferenceScratch<M, Scalar, typename Inputs::Element> scratch(panels);
  const auto panel_of = [](auto* values, std::size_t panel, std::size_t features) {
    return values + panel * features * width<Scalar>;
  };
  const auto rows_of = [&](std::size_t panel, RowRange rows) {
    return PanelRows<Scalar>{rows, first + panel, samples_in<Scalar>(first + panel, inputs.size())};
  };
  backend.pool().for_each_piece(
      panels, [&](std::size_t panel) { inputs.fill(first + panel, panel_of(scratch.inputs, panel, M::input_size)); });
  if constexpr (Plan::template is_chain<0>) {
    constexpr std::size_t in = M::input_size;
    detail::for_each_panel_piece<ChainPieces<in>>(backend, panels, [&](std::size_t panel, RowRange rows) {
      chain_rows<false, V>(ChainAt<Plan, 0>{}, {}, in, rows_of(panel, rows), panel_of(scratch.current, panel, in));
    });
  }
  internal::for_each_index<Plan::linear_count>([&]<std::size_t Index>() {
    using S = Stage<M, Index>;
    using L = typename S::Linear;
    detail::for_each_panel_piece<OutputPieces<L>>(backend, panels, [&](std::size_t panel, RowRange range) {
      const PanelRows<Scalar> rows = rows_of(panel, range);
      Scalar* output = panel_of(scratch.other, panel, S::out);
      if constexpr (S::operation == 0) {
        forward_inputs<L>(inputs, parameters, panel_of(scratch.inputs, panel, S::in), output, rows);
      } else {
        forward_rows<L, V>(parameters + S::weight, panel_of(scratch.current, panel, S::in), output, rows);
      }
      if constexpr (S::has_chain) {
        chain_rows<false, V>(typename S::Chain{}, {}, S::out, rows, output);
      }
      if constexpr (S::is_last) {
        simd::transpose<V>({output + rows.begin * width<Scalar>, width<Scalar>}, rows.count(), rows.samples,
                           {logits + rows.first_sample() * S::out + rows.begin, S::out});
      }
    });
    std::swap(scratch.current, scratch.other);
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
