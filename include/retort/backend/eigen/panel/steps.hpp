// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Training steps of whole models on panels (docs/design.md, 14).

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/optimizer.hpp"
#include "retort/backend/eigen/panel/apply_optimizer.hpp"
#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/full_products.hpp"
#include "retort/backend/eigen/panel/loss.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/eigen/panel/weight_gradient.hpp"
#include "retort/backend/engine.hpp"
#include "retort/backend/generic/optimizer.hpp"
#include "retort/backend/generic/weight_limit.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// `Products` gathers and pools the batch, computes the products in its precision, and keeps what they read: see
/// FullProducts.
template <Model Whole, typename Scalar, typename Products = FullProducts<Whole, Scalar>>
  requires FullyConnectedModel<AfterPooling<Whole>>
class PanelSteps {
  using M = AfterPooling<Whole>;

 public:
  PanelSteps(const Eigen& /*backend*/, std::size_t capacity)
      : capacity_(count_for<Scalar>(capacity) * width<Scalar>),
        values_(values_end(Plan::size, capacity_)),
        products_(capacity_),
        gradients_{AlignedBuffer<Scalar>(size_for<Scalar>(Plan::widest, capacity_)),
                   AlignedBuffer<Scalar>(size_for<Scalar>(Plan::widest, capacity_))},
        gradient_sums_(Plan::widest) {}

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Eigen& backend, const TrainingBatch& batch, const TrainingState<Scalar, Moments>& state,
            const L& loss, const Rule& rule) {
    products_.gather(backend, batch, values(0));
    forward(backend, batch, state.parameters);
    evaluate_loss<M::output_size, V>(
        loss, LossArguments<Scalar>{values(Plan::size), state.teacher, batch.samples, batch.data.labels,
                                    gradients_[0].data(), state.losses, state.correct, batch.size});
    if (state.clipping && parameter_gradients_.size() == 0) {
      parameter_gradients_ = AlignedBuffer<Scalar>(M::parameter_arena_size);
    }
    backward(backend, batch, state.parameters, [&](std::size_t offset) {
      std::array<Scalar*, Moments> moments = state.moments;
      for (Scalar*& moment : moments) {
        moment += offset;
      }
      return ApplyRule<Rule, Scalar, Moments>{rule, state.parameters + offset, moments,
                                              state.clipping ? parameter_gradients_.data() + offset : nullptr};
    });
    if (state.clipping) {
      clip_gradients(backend, *state.clipping, parameter_gradients_.data(), parameter_gradients_.size());
      update_parameters(backend, rule, state.parameters, std::as_const(parameter_gradients_).data(), state.moments,
                        parameter_gradients_.size());
    }
    internal::limit_hidden_weights<M>(backend, rule, state);
  }

 private:
  using V = simd::Vector<Scalar>;
  using Plan = backend::Plan<M>;

  /// Whether operation Index overwrites its input: a chain whose backward pass needs only its output, and one before
  /// everything that learns.
  template <std::size_t Index>
  static constexpr bool is_in_place() {
    if constexpr (!Plan::template is_chain<Index>) {
      return false;
    } else {
      return Index == 0 || internal::differentiable_by_output<typename Plan::template Operation<Index>>;
    }
  }
  static constexpr std::array<bool, Plan::size> in_place = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<bool, Plan::size>{is_in_place<Index>()...};
  }(std::make_index_sequence<Plan::size>{});

  /// values(i) is the input of operation i, in panels; values(size) are the logits. They lie one after another, except
  /// those that share a place.
  static constexpr std::size_t values_offset(std::size_t operation, std::size_t capacity) {
    std::size_t offset = 0;
    for (std::size_t i = 0; i < operation; ++i) {
      offset += in_place[i] ? 0 : size_for<Scalar>(Plan::widths[i], capacity);
    }
    return offset;
  }
  static constexpr std::size_t values_end(std::size_t operation, std::size_t capacity) {
    return values_offset(operation, capacity) + size_for<Scalar>(Plan::widths[operation], capacity);
  }
  Scalar* values(std::size_t operation) { return values_.data() + values_offset(operation, capacity_); }

  static constexpr LayerRandom random_of(const TrainingBatch& batch, std::size_t layer) {
    return LayerRandom{batch.seed, batch.step}.after(Whole::layer_count - M::layer_count + layer);
  }

  void forward(const Eigen& backend, const TrainingBatch& batch, const Scalar* parameters) {
    if constexpr (Plan::template is_chain<0>) {
      for_each_piece<ChainPieces<M::input_size>>(backend.pool(), [&](RowRange rows) { chain_of_rows<0>(batch, rows); });
    }
    internal::for_each_index<Plan::linear_count>([&]<std::size_t Index>() {
      using S = Stage<M, Index>;
      products_.template keep_input<Index>(backend, batch.size, values(S::operation));
      for_each_piece<OutputPieces<typename S::Linear>>(backend.pool(), [&](RowRange rows) {
        products_.template forward<Index>(parameters + S::weight, values(S::operation), values(S::operation + 1),
                                          batch.size, rows);
        if constexpr (S::has_chain) {
          chain_of_rows<S::operation + 1>(batch, rows);
        }
      });
    });
  }

  /// Takes rows through operation Index, a chain.
  template <std::size_t Index>
  void chain_of_rows(const TrainingBatch& batch, RowRange rows) {
    constexpr std::size_t features = Plan::widths[Index];
    for_each_panel<Scalar>(batch.size, rows, [&](const PanelRows<Scalar>& panel) {
      Scalar* output = values(Index + 1) + panel.place(features);
      if constexpr (!in_place[Index]) {
        const Scalar* input = values(Index) + panel.place(features);
        std::copy(input + rows.begin * width<Scalar>, input + rows.end * width<Scalar>,
                  output + rows.begin * width<Scalar>);
      }
      chain_rows<true, V>(typename Plan::template Operation<Index>{}, random_of(batch, Plan::first_layer[Index]),
                          features, panel, output);
    });
  }

  /// Begins with the gradient of the logits in gradients_[0]. `sink_of(offset)` takes the gradients of the Linear whose
  /// parameters begin there.
  template <typename SinkOf>
  void backward(const Eigen& backend, const TrainingBatch& batch, const Scalar* parameters, const SinkOf& sink_of) {
    if constexpr (Stage<M, Plan::linear_count - 1>::has_chain) {
      chain_gradient_of_rows<Plan::size - 1>(batch, {0, M::output_size}, gradients_[0].data());
    }
    Scalar* output_gradient = gradients_[0].data();
    Scalar* input_gradient = gradients_[1].data();
    internal::for_each_index_reversed<Plan::linear_count>([&]<std::size_t Index>() {
      using S = Stage<M, Index>;
      using L = typename S::Linear;
      products_.template keep_output_gradient<Index>(backend, batch.size, output_gradient);
      if constexpr (Index > 0) {
        for_each_piece<InputPieces<L>>(backend.pool(), [&](RowRange rows) {
          products_.template input_gradient<Index>(parameters + S::weight, output_gradient, input_gradient, batch.size,
                                                   rows);
          if constexpr (Stage<M, Index - 1>::has_chain) {
            chain_gradient_of_rows<S::operation - 1>(batch, rows, input_gradient);
          }
        });
      }
      // Not earlier: the update may change the weights that gave the input's gradient.
      const auto sink = sink_of(S::weight);
      for_each_piece<OutputPieces<L>>(backend.pool(), [&](RowRange rows) {
        sum_over_batch<L, V>(output_gradient, batch.size, rows, gradient_sums_.data());
        products_.template weight_gradient<Index>(output_gradient, gradient_sums_.data(), batch.size, rows, sink);
        bias_gradient_rows<L, V>(gradient_sums_.data(), rows, sink);
      });
      std::swap(output_gradient, input_gradient);
    });
  }

  template <std::size_t Index>
  void chain_gradient_of_rows(const TrainingBatch& batch, RowRange rows, Scalar* gradients) {
    constexpr std::size_t features = Plan::widths[Index];
    for_each_panel<Scalar>(batch.size, rows, [&](const PanelRows<Scalar>& panel) {
      chain_gradient_rows<V>(typename Plan::template Operation<Index>{}, random_of(batch, Plan::first_layer[Index]),
                             features, panel, values(Index) + panel.place(features), gradients + panel.place(features));
    });
  }

  std::size_t capacity_;  // samples, whole panels
  AlignedBuffer<Scalar> values_;
  Products products_;
  std::array<AlignedBuffer<Scalar>, 2> gradients_;
  AlignedBuffer<Scalar> gradient_sums_;        // (out) of the layer whose weight gradient is being computed
  AlignedBuffer<Scalar> parameter_gradients_;  // for clipping
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace panel {

/// Takes models of Linear and pointwise layers, before which there may be an AvgPool2d.
struct PanelEngine {
  static constexpr std::string_view name = "panels";
  template <typename T>
  static constexpr Refusal refusal() {
    return internal::fully_connected_refusal<T, AfterPooling<typename T::Model>>();
  }
  template <typename T>
  using Steps = PanelSteps<typename T::Model, typename T::Scalar>;
};

}  // namespace panel

template <>
struct Engines<Eigen> {
  using type = std::tuple<panel::PanelEngine>;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
