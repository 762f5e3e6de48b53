// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Panels through a whole model, layer by layer: a panel on the calling thread, or several, fewer than there are
/// threads, with the rows of each wide layer split among the threads, as in a training step.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_pool.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Calls function(panel, rows) with all rows of a layer, on the calling thread.
struct WholePanels {
  template <typename Pieces, typename Function>
  void for_each(std::size_t panels, const Function& function) const {
    for (std::size_t panel = 0; panel < panels; ++panel) {
      function(panel, RowRange{0, Pieces::extent});
    }
  }
};

/// Calls function(panel, rows) for the pieces of a layer's rows, on a pool's threads. Pieces of the same rows, which
/// read the same weights, follow one another.
struct SplitPanels {
  internal::ThreadPool& pool;

  template <typename Pieces, typename Function>
  void for_each(std::size_t panels, const Function& function) const {
    pool.for_each_piece(Pieces::count * panels,
                        [&](std::size_t piece) { function(piece % panels, Pieces::rows(piece / panels)); });
  }
};

/// Whether a model has a layer wide enough to be worth a second thread.
template <Model M>
inline constexpr bool has_wide_layer = [] {
  bool result = false;
  internal::for_each_index<Plan<M>::linear_count>(
      [&]<std::size_t Index>() { result = result || OutputPieces<typename Stage<M, Index>::Linear>::count > 1; });
  return result;
}();

/// The logits of `panels` panels from panel `first` on, in rows (size, out) of all samples. `work` is WholePanels or
/// SplitPanels, with the same bits. Activations are in the calling thread's scratch. Inputs: see inference_inputs.hpp.
template <Model M, typename Work, typename Scalar, typename Inputs>
void infer_rows(const Work& work, const Scalar* parameters, const Inputs& inputs, std::size_t first, std::size_t panels,
                Scalar* logits) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  InferenceScratch<M, Scalar, typename Inputs::Element> scratch(panels);
  const auto panel_of = [](auto* values, std::size_t panel, std::size_t features) {
    return values + panel * features * width<Scalar>;
  };
  const auto rows_of = [&](std::size_t panel, RowRange rows) {
    return PanelRows<Scalar>{rows, first + panel, samples_in<Scalar>(first + panel, inputs.size())};
  };
  work.template for_each<RowPieces<1, 1>>(panels, [&](std::size_t panel, RowRange /*rows*/) {
    inputs.fill(first + panel, panel_of(scratch.inputs, panel, M::input_size));
  });
  if constexpr (Plan::template is_chain<0>) {
    constexpr std::size_t in = M::input_size;
    work.template for_each<ChainPieces<in>>(panels, [&](std::size_t panel, RowRange rows) {
      chain_rows<false, V>(ChainAt<Plan, 0>{}, {}, in, rows_of(panel, rows), panel_of(scratch.current, panel, in));
    });
  }
  internal::for_each_index<Plan::linear_count>([&]<std::size_t Index>() {
    using S = Stage<M, Index>;
    using L = typename S::Linear;
    work.template for_each<OutputPieces<L>>(panels, [&](std::size_t panel, RowRange range) {
      const PanelRows<Scalar> rows = rows_of(panel, range);
      Scalar* output = panel_of(scratch.other, panel, S::out);
      if constexpr (S::operation == 0) {
        Ahead ahead;
        if constexpr (std::is_same_v<Inputs, BatchInputs<Scalar>>) {
          ahead = inputs.ahead(first + panel);
        }
        forward_inputs<L>(inputs, parameters, panel_of(scratch.inputs, panel, S::in), output, rows, ahead);
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
