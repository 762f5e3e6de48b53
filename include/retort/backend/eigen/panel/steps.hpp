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
#include "retort/backend/eigen/panel/normalization.hpp"
#include "retort/backend/eigen/panel/operations.hpp"
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
  requires PanelModel<AfterPooling<Whole>>
class PanelSteps {
  using M = AfterPooling<Whole>;

 public:
  PanelSteps(const Eigen& /*backend*/, std::size_t capacity)
      : capacity_(count_for<Scalar>(capacity) * width<Scalar>),
        values_(values_end(Plan::size, capacity_)),
        statistics_(statistics_offset(Plan::size, capacity_)),
        products_(capacity_),
        gradients_{AlignedBuffer<Scalar>(size_for<Scalar>(Plan::widest, capacity_)),
                   AlignedBuffer<Scalar>(size_for<Scalar>(Plan::widest, capacity_))},
        gradient_means_(2 * capacity_),
        gradient_sums_(2 * Plan::widest) {}

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Eigen& backend, const TrainingBatch& batch, const TrainingState<Scalar, Moments>& state,
            const L& loss, const Rule& rule) {
    products_.gather(backend, batch, values(0));
    forward(backend, batch, Tensors{state.parameters, state.buffers});
    evaluate_loss<M::output_size, V>(
        loss, LossArguments<Scalar>{values(Plan::size), state.teacher, batch.samples, batch.data.labels,
                                    gradients_[0].data(), state.losses, state.correct, batch.size});
    if (state.clipping && parameter_gradients_.size() == 0) {
      parameter_gradients_ = AlignedBuffer<Scalar>(M::parameter_arena_size);
    }
    backward(backend, batch, state.parameters,
             ApplyRules<Rule, Scalar, Moments>{
                 {rule, state.parameters, state.moments, state.clipping ? parameter_gradients_.data() : nullptr}});
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

  /// Of a normalization: an offset to its statistics, two for each sample (LayerNorm) or feature (BatchNorm).
  static constexpr std::size_t statistics_offset(std::size_t operation, std::size_t capacity) {
    std::size_t offset = 0;
    internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
      using Operation = typename Plan::template Operation<Index>;
      if (Index < operation) {
        offset += 2 * statistics_count<Operation>(capacity);
      }
    });
    return offset;
  }
  template <typename Operation>
  static constexpr std::size_t statistics_count(std::size_t capacity) {
    if constexpr (is_layer_norm<Operation>) {
      return capacity;
    } else if constexpr (is_batch_norm<Operation>) {
      return internal::aligned_extent(Operation::input_size);
    } else {
      return 0;
    }
  }
  template <std::size_t Index>
  Statistics<Scalar> statistics(std::size_t first = 0) {
    Scalar* mean = statistics_.data() + statistics_offset(Index, capacity_) + first;
    return {mean, mean + statistics_count<typename Plan::template Operation<Index>>(capacity_)};
  }
  GradientMeans<Scalar> gradient_means(std::size_t first = 0) {
    Scalar* of_gradient = gradient_means_.data() + first;
    return {of_gradient, of_gradient + capacity_};
  }

  /// A network's numbers; a pass changes the buffers.
  struct Tensors {
    const Scalar* parameters;
    Scalar* buffers;

    template <std::size_t Index>
    const Scalar* parameters_of() const {
      return parameters + M::parameter_offset(Plan::first_layer[Index]);
    }
    template <std::size_t Index>
    Scalar* buffers_of() const {
      return buffers + M::buffer_offset(Plan::first_layer[Index]);
    }
  };

  // Compiled once for all losses, so not into the step of each.
  [[gnu::noinline]] void forward(const Eigen& backend, const TrainingBatch& batch, const Tensors& tensors) {
    if constexpr (is_by_rows<typename Plan::template Operation<0>>) {
      for_each_piece<ChainPieces<M::input_size>>(backend.pool(),
                                                 [&](RowRange rows) { forward_rows<0>(batch, tensors, rows); });
    }
    internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
      using Operation = typename Plan::template Operation<Index>;
      if constexpr (Plan::template is_linear<Index>) {
        constexpr std::size_t stage = Plan::template stage_of<Index>;
        products_.template keep_input<stage>(backend, batch.size, values(Index));
        for_each_piece<OutputPieces<Operation>>(backend.pool(), [&](RowRange rows) {
          products_.template forward<stage>(tensors.template parameters_of<Index>(), values(Index), values(Index + 1),
                                            batch.size, rows);
          forward_rows<Index + 1>(batch, tensors, rows);
        });
      } else if constexpr (is_layer_norm<Operation>) {
        constexpr std::size_t features = Operation::input_size;
        for_each_sample_vector<features, V>(backend.pool(), batch.size, [&](std::size_t first, std::size_t place) {
          layer_norm_statistics<Operation, V>(values(Index) + place, statistics<Index>(first));
        });
        for_each_piece<ChainPieces<features>>(backend.pool(), [&](RowRange rows) {
          for_each_panel<Scalar>(batch.size, rows, [&](const PanelRows<Scalar>& panel) {
            layer_norm_rows<Operation, V>(
                tensors.template parameters_of<Index>(), statistics<Index>(panel.first_sample()),
                values(Index) + panel.place(features), values(Index + 1) + panel.place(features), panel);
          });
          forward_rows<Index + 1>(batch, tensors, rows);
        });
      }
    });
  }

  /// Takes rows through operation Index and those after it, as far as they are by rows.
  template <std::size_t Index>
  void forward_rows(const TrainingBatch& batch, const Tensors& tensors, RowRange rows) {
    if constexpr (Index < Plan::size) {
      using Operation = typename Plan::template Operation<Index>;
      if constexpr (is_batch_norm<Operation>) {
        batch_norm_rows<Operation, V>(tensors.template parameters_of<Index>(),
                                      running_statistics<Operation>(tensors.template buffers_of<Index>()),
                                      statistics<Index>(), values(Index), values(Index + 1), batch.size, rows);
        forward_rows<Index + 1>(batch, tensors, rows);
      } else if constexpr (Plan::template is_chain<Index>) {
        chain_of_rows<Index>(batch, rows);
        forward_rows<Index + 1>(batch, tensors, rows);
      }
    }
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

  /// Begins with the gradient of the logits in gradients_[0]. `sink_of(offset)` takes the gradients of the layer whose
  /// parameters begin there.
  template <typename SinkOf>
  [[gnu::noinline]] void backward(const Eigen& backend, const TrainingBatch& batch, const Scalar* parameters,
                                  const SinkOf& sink_of) {
    Scalar* output_gradient = gradients_[0].data();
    Scalar* input_gradient = gradients_[1].data();
    if constexpr (is_by_rows<typename Plan::template Operation<Plan::size - 1>>) {
      for_each_piece<ChainPieces<M::output_size>>(backend.pool(), [&](RowRange rows) {
        backward_rows<Plan::size>(batch, parameters, rows, output_gradient, sink_of);
      });
    }
    internal::for_each_index_reversed<Plan::size>([&]<std::size_t Index>() {
      using Operation = typename Plan::template Operation<Index>;
      if constexpr (Plan::template is_linear<Index>) {
        constexpr std::size_t stage = Plan::template stage_of<Index>;
        constexpr std::size_t offset = M::parameter_offset(Plan::first_layer[Index]);
        products_.template keep_output_gradient<stage>(backend, batch.size, output_gradient);
        if constexpr (Index > Plan::first_trained) {
          for_each_piece<InputPieces<Operation>>(backend.pool(), [&](RowRange rows) {
            products_.template input_gradient<stage>(parameters + offset, output_gradient, input_gradient, batch.size,
                                                     rows);
            backward_rows<Index>(batch, parameters, rows, input_gradient, sink_of);
          });
        }
        // Not earlier: the update may change the weights that gave the input's gradient.
        const auto sink = sink_of(offset);
        for_each_piece<OutputPieces<Operation>>(backend.pool(), [&](RowRange rows) {
          sum_over_batch<Operation, V>(output_gradient, batch.size, rows, gradient_sums_.data());
          products_.template weight_gradient<stage>(output_gradient, gradient_sums_.data(), batch.size, rows, sink);
          bias_gradient_rows<Operation, V>(gradient_sums_.data(), rows, sink);
        });
        std::swap(output_gradient, input_gradient);
      } else if constexpr (is_layer_norm<Operation>) {
        constexpr std::size_t features = Operation::input_size;
        constexpr std::size_t offset = M::parameter_offset(Plan::first_layer[Index]);
        for_each_sample_vector<features, V>(backend.pool(), batch.size, [&](std::size_t first, std::size_t place) {
          layer_norm_gradient_means<Operation, V>(parameters + offset, statistics<Index>(first), values(Index) + place,
                                                  output_gradient + place, gradient_means(first));
        });
        for_each_piece<ChainPieces<features>>(backend.pool(), [&](RowRange rows) {
          layer_norm_gradient_rows<Operation, V>(parameters + offset, statistics<Index>(), gradient_means(),
                                                 values(Index), output_gradient, batch.size, rows,
                                                 gradient_sums_.data(), sink_of(offset));
          backward_rows<Index>(batch, parameters, rows, output_gradient, sink_of);
        });
      }
    });
  }

  /// Takes rows of a gradient back through the operation before Index and those before it, as far as they are by rows
  /// and as something before them, or they themselves, learn.
  template <std::size_t Index, typename SinkOf>
  void backward_rows(const TrainingBatch& batch, const Scalar* parameters, RowRange rows, Scalar* gradient,
                     const SinkOf& sink_of) {
    if constexpr (Index > Plan::first_trained) {
      using Operation = typename Plan::template Operation<Index - 1>;
      if constexpr (is_batch_norm<Operation>) {
        constexpr std::size_t offset = M::parameter_offset(Plan::first_layer[Index - 1]);
        batch_norm_gradient_rows<Operation, V>(parameters + offset, statistics<Index - 1>(), values(Index - 1),
                                               gradient, batch.size, rows, gradient_sums_.data(), sink_of(offset));
      } else if constexpr (Plan::template is_chain<Index - 1>) {
        chain_gradient_of_rows<Index - 1>(batch, rows, gradient);
      }
      if constexpr (is_by_rows<Operation>) {
        backward_rows<Index - 1>(batch, parameters, rows, gradient, sink_of);
      }
    }
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
  AlignedBuffer<Scalar> statistics_;  // of the normalizations
  Products products_;
  std::array<AlignedBuffer<Scalar>, 2> gradients_;
  AlignedBuffer<Scalar> gradient_means_;       // (2, capacity) of a LayerNorm
  AlignedBuffer<Scalar> gradient_sums_;        // (2, features) over the batch, of the layer whose turn it is
  AlignedBuffer<Scalar> parameter_gradients_;  // for clipping
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace panel {

/// Takes models of Linear, pointwise and normalization layers, before which there may be an AvgPool2d.
struct PanelEngine {
  static constexpr std::string_view name = "panels";
  template <typename T>
  static constexpr Refusal refusal() {
    return panel_refusal<T>();
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
