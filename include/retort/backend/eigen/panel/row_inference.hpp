// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Panels through a whole model, layer by layer: a panel on the calling thread, or several, at most as many as there
/// are threads, with the rows of each wide layer split among the threads, as in a training step.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/normalization.hpp"
#include "retort/backend/eigen/panel/operations.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_pool.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// Whether a model has a Linear layer wide enough to be worth a second thread.
template <Model M>
inline constexpr bool has_wide_layer = [] {
  bool result = false;
  internal::for_each_index<Plan<M>::linear_count>(
      [&]<std::size_t Index>() { result = result || OutputPieces<typename Stage<M, Index>::Linear>::count > 1; });
  return result;
}();

/// Who takes a layer's rows: a pool's threads, or the calling thread alone, a panel at a time. `Wide`: whether a layer
/// of the model is worth a second thread.
template <bool Wide>
struct PanelWork {
  internal::ThreadPool* pool = nullptr;  ///< null for the calling thread; not read if not Wide

  bool is_alone() const { return !Wide || pool == nullptr; }

  /// Calls function(panel, rows) for the pieces of a layer's rows. Pieces of the same rows, which read the same
  /// weights, follow one another.
  template <typename Pieces, typename Function>
  void for_each(std::size_t panels, const Function& function) const {
    if constexpr (Wide) {
      if (pool != nullptr) {
        pool->for_each_piece(Pieces::count * panels,
                             [&](std::size_t piece) { function(piece % panels, Pieces::rows(piece / panels)); });
        return;
      }
    }
    for (std::size_t panel = 0; panel < panels; ++panel) {
      function(panel, RowRange{0, Pieces::extent});
    }
  }
};

namespace detail {

/// Takes rows of a panel (features, samples) in place through operation Index and those after it, as far as they are by
/// rows; at the model's end, into the rows of `logits` (size, out).
template <Model M, std::size_t Index, typename Scalar>
void infer_by_rows(const InferenceTensors<Scalar>& tensors, const PanelRows<Scalar>& rows, Scalar* values,
                   Scalar* logits) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  constexpr std::size_t features = Plan::widths[Index];
  if constexpr (Index == Plan::size) {
    simd::transpose<V>({values + rows.begin * width<Scalar>, width<Scalar>}, rows.count(), rows.samples,
                       {logits + rows.first_sample() * features + rows.begin, features});
  } else if constexpr (is_by_rows<typename Plan::template Operation<Index>>) {
    using Operation = typename Plan::template Operation<Index>;
    if constexpr (is_batch_norm<Operation>) {
      constexpr std::size_t layer = Plan::first_layer[Index];
      infer_batch_norm_rows<Operation, V>(tensors.parameters + M::parameter_offset(layer),
                                          tensors.buffers + M::buffer_offset(layer), values, rows);
    } else {
      chain_rows<false, V>(Operation{}, {}, features, rows, values);
    }
    infer_by_rows<M, Index + 1>(tensors, rows, values, logits);
  }
}

}  // namespace detail

/// Samples that go with panels, as rows (sample_inference.hpp). Virtual, so that only programs that have such rows
/// compile what takes them.
template <typename Scalar>
struct Company {
  bool joint;  ///< whether `multiply` takes the last panel through a part of each Linear layer
  bool apart;  ///< whether that leaves rows that `take` takes through the same parts

  /// The rows through a part of an operation, rows of a Linear layer's output or turns of a LayerNorm, of which a panel
  /// has one for each vector.
  virtual void take(std::size_t operation, RowRange part) const = 0;

  /// Before all parts of a Linear layer with the last panel's input, and after them.
  virtual void begin(std::size_t operation, const Scalar* input) const = 0;
  virtual void finish(std::size_t operation) const = 0;
  virtual void multiply(std::size_t operation, const Scalar* input, Scalar* output,
                        const PanelRows<Scalar>& part) const = 0;

 protected:
  ~Company() = default;
};

/// Products of the model's own numbers.
struct OwnPrecision {
  static constexpr bool by_words = false;
};

/// The logits of `panels` panels from panel `first` on, in rows (size, out) of all samples, with the same bits whoever
/// takes the rows, with or without company. Activations are in the calling thread's scratch. `inputs`: NumberInputs or
/// ByteInputs. `Products`: OwnPrecision, or Bf16Words (bf16_inference.hpp).
template <Model M, typename Products = OwnPrecision, typename Scalar, typename Inputs>
void infer_rows(const PanelWork<has_wide_layer<M>>& work, const InferenceTensors<Scalar>& tensors, const Inputs& inputs,
                std::size_t first, std::size_t panels, Scalar* logits, const Company<Scalar>* company = nullptr) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  InferenceScratch<M, Scalar, typename Inputs::Element> scratch(panels);
  const auto panel_of = [](auto* values, std::size_t panel, std::size_t features) {
    return values + panel * features * width<Scalar>;
  };
  const auto rows_of = [&](std::size_t panel, RowRange rows) {
    return PanelRows<Scalar>{rows, first + panel, samples_in<Scalar>(first + panel, inputs.size())};
  };
  bool by_parts = false;
  if constexpr (Plan::template is_linear<0> && std::is_same_v<Inputs, NumberInputs<Scalar>> && !Products::by_words) {
    by_parts = is_by_parts<typename Plan::template Operation<0>> && inputs.has_parts() && work.is_alone() &&
               company == nullptr;
  }
  if (!by_parts) {
    work.template for_each<RowPieces<1, 1>>(panels, [&](std::size_t panel, RowRange /*rows*/) {
      inputs.fill(first + panel, panel_of(scratch.inputs, panel, M::input_size));
    });
  }
  if constexpr (is_by_rows<typename Plan::template Operation<0>>) {
    constexpr std::size_t in = M::input_size;
    work.template for_each<ChainPieces<in>>(panels, [&](std::size_t panel, RowRange rows) {
      detail::infer_by_rows<M, 0>(tensors, rows_of(panel, rows), panel_of(scratch.current, panel, in), logits);
    });
  }
  constexpr bool may_have_company = has_wide_layer<M> && std::is_same_v<typename Inputs::Element, Scalar>;
  const bool has_company = may_have_company && company != nullptr;
  const bool joint = has_company && company->joint;
  // Calls function(panel, rows) for pieces of a layer's rows, and the company for the same pieces if it is `apart`.
  const auto for_all = [&]<typename Pieces>(Pieces, std::size_t operation, bool apart, const auto& function) {
    work.template for_each<Pieces>(panels + (apart ? 1 : 0), [&](std::size_t panel, RowRange rows) {
      if (panel == panels) {
        company->take(operation, rows);
      } else {
        function(panel, rows);
      }
    });
  };
  internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    constexpr std::size_t features = Plan::widths[Index];
    const Scalar* parameters = tensors.parameters + M::parameter_offset(Plan::first_layer[Index]);
    if constexpr (Plan::template is_linear<Index>) {
      Scalar* words = nullptr;
      if constexpr (Products::by_words) {
        words = Products::words(panels, Plan::widest);
        work.template for_each<RowPieces<1, 1>>(panels, [&](std::size_t panel, RowRange /*rows*/) {
          Products::keep(panel_of(scratch.current, panel, features), rows_of(panel, {0, features}),
                         words + panel * Products::size(features));
        });
      }
      if (joint) {
        company->begin(Index, panel_of(scratch.current, panels - 1, features));
      }
      for_all(OutputPieces<Operation>{}, Index, has_company && company->apart, [&](std::size_t panel, RowRange range) {
        const PanelRows<Scalar> rows = rows_of(panel, range);
        Scalar* output = panel_of(scratch.other, panel, Operation::output_size);
        if (joint && panel + 1 == panels) {
          company->multiply(Index, panel_of(scratch.current, panel, features), output, rows);
        } else if constexpr (Products::by_words) {
          Products::template forward<Operation>(parameters, words + panel * Products::size(features), output, rows);
        } else if constexpr (Index == 0) {
          if constexpr (std::is_same_v<Inputs, NumberInputs<Scalar>>) {
            forward_numbers<Operation>(inputs, first + panel, parameters, panel_of(scratch.inputs, panel, features),
                                       output, rows, by_parts);
          } else {
            forward_byte_rows<Operation, V>(parameters, inputs.folded, panel_of(scratch.inputs, panel, features),
                                            output, rows);
          }
        } else {
          forward_rows<Operation, V>(parameters, panel_of(scratch.current, panel, features), output, rows);
        }
        detail::infer_by_rows<M, Index + 1>(tensors, rows, output, logits);
      });
      if (joint) {
        company->finish(Index);
      }
      std::swap(scratch.current, scratch.other);
    } else if constexpr (is_layer_norm<Operation>) {
      const auto statistics = [&](std::size_t panel, std::size_t vector) {
        Scalar* mean = scratch.statistics + 2 * panel * width<Scalar> + vector * simd::lanes<V>;
        return Statistics<Scalar>{mean, mean + width<Scalar>};
      };
      for_all(RowPieces<simd::tile_vectors<V>, 1>{}, Index, has_company, [&](std::size_t panel, RowRange range) {
        for (std::size_t vector = range.begin; vector < range.end; ++vector) {
          layer_norm_statistics<Operation, V>(panel_of(scratch.current, panel, features) + vector * simd::lanes<V>,
                                              statistics(panel, vector));
        }
      });
      work.template for_each<ChainPieces<features>>(panels, [&](std::size_t panel, RowRange range) {
        const PanelRows<Scalar> rows = rows_of(panel, range);
        Scalar* values = panel_of(scratch.current, panel, features);
        layer_norm_rows<Operation, V>(parameters, statistics(panel, 0), values, values, rows);
        detail::infer_by_rows<M, Index + 1>(tensors, rows, values, logits);
      });
    }
  });
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
