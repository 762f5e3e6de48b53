#pragma once
/// @file
/// Training steps of whole models on panels. Bias, activation and dropout follow each tile of a product, the loss is
/// evaluated on vectors of samples, and the optimizer is applied to each tile of a weight's gradient: unless the norm
/// of all gradients is asked for first, they never reach the memory.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/gather.hpp"
#include "retort/backend/eigen/optimizer.hpp"
#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/linear.hpp"
#include "retort/backend/eigen/panel/loss.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/passes.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend::panel {

template <Model M, typename Scalar>
requires PanelModel<M>
class TrainingSteps {
 public:
  TrainingSteps(const Eigen& /*backend*/, std::size_t capacity)
      : capacity_(count_for<Scalar>(capacity) * width<Scalar>),
        values_(values_end(Plan::size, capacity_)),
        sample_major_(sample_major_offset(Plan::size, capacity_)),
        gradients_{AlignedBuffer<Scalar>(size_for<Scalar>(Plan::widest, capacity_)),
                   AlignedBuffer<Scalar>(size_for<Scalar>(Plan::widest, capacity_))} {}

  template <typename L, typename Rule, std::size_t Moments>
  void step(const Eigen& backend, const TrainingBatch& batch, const TrainingTarget<Scalar, Moments>& target,
            const L& loss, const Rule& rule) {
    gather(backend, batch);
    forward(backend, batch, target.parameters);
    evaluate_loss<M::output_size, V>(
        loss, PanelLossArguments<Scalar>{values(Plan::size), target.teacher, batch.samples, batch.data.labels,
                                         gradients_[0].data(), target.losses, target.correct, batch.size});
    if (!target.clipping) {
      backward(backend, batch, target.parameters, [&](std::size_t layer) {
        std::array<Scalar*, Moments> moments = target.moments;
        for (Scalar*& moment : moments) {
          moment += M::parameter_offset(layer);
        }
        return ApplyRule<Rule, Scalar, Moments>{rule, target.parameters + M::parameter_offset(layer), moments};
      });
      return;
    }
    if (parameter_gradients_.size() == 0) {
      parameter_gradients_ = AlignedBuffer<Scalar>(M::parameter_arena_size);
    }
    backward(backend, batch, target.parameters, [&](std::size_t layer) {
      return StoreGradient<Scalar>{parameter_gradients_.data() + M::parameter_offset(layer)};
    });
    clip_gradients(backend, *target.clipping, parameter_gradients_.data(), parameter_gradients_.size());
    const ApplyRule<Rule, Scalar, Moments> sink{rule, target.parameters, target.moments};
    const Scalar* gradients = parameter_gradients_.data();
    backend::detail::for_each_flat_chunk(
        backend, parameter_gradients_.size(), [&](std::size_t begin, std::size_t size) {
          simd::for_each_vector<V>(size, [&](std::size_t at, std::size_t count) {
            if (count == simd::lanes<V>) {
              sink(begin + at, simd::load<V>(gradients + begin + at));
            } else {
              sink(begin + at, simd::load_partial<V>(gradients + begin + at, count), count);
            }
          });
        });
  }

  const Scalar* input_rows(const Eigen& backend, const TrainingBatch& batch) {
    if (rows_.size() == 0) {
      rows_ = AlignedBuffer<Scalar>(capacity_ * M::input_size);
    }
    gather_batch(backend, batch.data, batch.samples, batch.size, batch.shift, batch.seed, batch.epoch, rows_.data());
    return rows_.data();
  }

 private:
  using V = simd::Vector<Scalar>;
  using Plan = backend::Plan<M>;

  /// Whether operation Index writes over its input: a chain whose backward pass asks for no more than its output, and
  /// one before everything that learns.
  template <std::size_t Index>
  static constexpr bool is_in_place() {
    if constexpr (!Plan::template is_chain<Index>) {
      return false;
    } else {
      return Index == 0 || is_rectifier<typename Plan::template Operation<Index>>;
    }
  }
  static constexpr std::array<bool, Plan::size> in_place = []<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::array<bool, Plan::size>{is_in_place<Index>()...};
  }
  (std::make_index_sequence<Plan::size>{});

  /// values(i) enters operation i, in panels; values(size) are the logits. They lie behind one another, but for those
  /// that share a place.
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

  /// What enters a Linear layer, once more by sample: (capacity, in) with sample_stride.
  static constexpr std::size_t sample_major_offset(std::size_t operation, std::size_t capacity) {
    std::size_t offset = 0;
    for_each_index<Plan::size>([&]<std::size_t Index>() {
      if constexpr (!Plan::template is_chain<Index>) {
        offset += Index < operation ? capacity * sample_stride<Scalar>(Plan::widths[Index]) : 0;
      }
    });
    return offset;
  }
  Scalar* sample_major(std::size_t operation) {
    return sample_major_.data() + sample_major_offset(operation, capacity_);
  }

  /// Calls function(panel, its first element of (features, batch), vectors) for every panel of a batch.
  template <typename Function>
  static void for_each_panel(std::size_t batch, std::size_t features, const Function& function) {
    for (std::size_t index = 0; index < count_for<Scalar>(batch); ++index) {
      function(index, index * features * width<Scalar>, vectors_for<V>(samples_in<Scalar>(index, batch)));
    }
  }

  void gather(const Eigen& backend, const TrainingBatch& batch) {
    constexpr std::size_t stride = sample_stride<Scalar>(M::input_size);
    // A chain before the first Linear acts on the panels, and what leaves it is then put in order of samples.
    constexpr bool begins_with_chain = Plan::template is_chain<0>;
    const data::GatherConstants<Scalar> constants(batch.data);
    backend.pool().for_each_chunk(count_for<Scalar>(batch.size), [&](std::size_t index) {
      const std::size_t first = index * width<Scalar>;
      const std::span samples(batch.samples + first, samples_in<Scalar>(index, batch.size));
      Scalar* inputs = values(0) + first * M::input_size;
      if (begins_with_chain && batch.shift.pixels == 0) {
        fill_panel<V>(batch.data, constants, samples, inputs);
        return;
      }
      Scalar* rows = sample_major(begins_with_chain ? 1 : 0) + first * stride;
      for (std::size_t i = 0; i < samples.size(); ++i) {
        if (batch.shift.pixels == 0) {
          data::gather_row(batch.data, constants, samples[i], rows + i * stride);
        } else {
          data::gather_row(batch.data, constants, samples[i],
                           data::shift_offset(batch.shift, batch.seed, batch.epoch, samples[i]), rows + i * stride);
        }
      }
      if (batch.data.bytes != nullptr && batch.shift.pixels == 0) {
        fill_panel_with_bytes(batch.data, constants, samples, inputs);
      } else {
        fill_panel<V>({rows, stride}, samples.size(), M::input_size, inputs);
      }
    });
  }

  static constexpr LayerRandom random_of(const TrainingBatch& batch, std::size_t layer) {
    return StepRandom{batch.seed, batch.step}.layer(layer);
  }

  void forward(const Eigen& backend, const TrainingBatch& batch, const Scalar* parameters) {
    for_each_index<Plan::size>([&]<std::size_t Index>() {
      using Operation = typename Plan::template Operation<Index>;
      if constexpr (Plan::template is_chain<Index>) {
        if constexpr (Index == 0) {
          run_chain<Index>(backend, batch);
        }  // others follow their Linear layer below
      } else {
        if constexpr (Index > 0) {
          put_in_order_of_samples<Index>(backend, batch);
        }
        using Chunks = RowChunks<Operation::output_size, Operation::input_size, Operation::output_size>;
        backend.pool().for_each_chunk(Chunks::count, [&](std::size_t chunk) {
          for_each_panel(batch.size, 1, [&](std::size_t index, std::size_t place, std::size_t vectors) {
            forward_rows<Operation, V>(parameters + M::parameter_offset(Plan::first_layer[Index]),
                                       values(Index) + place * Operation::input_size,
                                       values(Index + 1) + place * Operation::output_size, Chunks::begin(chunk),
                                       Chunks::end(chunk), vectors);
            if constexpr (Index + 1 < Plan::size) {
              chain_of_rows<Index + 1>(batch, Chunks::begin(chunk), Chunks::end(chunk), index, vectors);
            }
          });
        });
      }
    });
  }

  /// Rows [begin, end) of a panel through the chain that is operation Index.
  template <std::size_t Index>
  void chain_of_rows(const TrainingBatch& batch, std::size_t begin, std::size_t end, std::size_t index,
                     std::size_t vectors) {
    if constexpr (Plan::template is_chain<Index>) {
      constexpr std::size_t features = Plan::widths[Index];
      Scalar* output = values(Index + 1) + index * features * width<Scalar>;
      if constexpr (!in_place[Index]) {
        const Scalar* input = values(Index) + index * features * width<Scalar>;
        std::copy(input + begin * width<Scalar>, input + end * width<Scalar>, output + begin * width<Scalar>);
      }
      chain_rows<true, V>(typename Plan::template Operation<Index>{}, random_of(batch, Plan::first_layer[Index]),
                          features, begin, end, index, vectors, output);
    }
  }

  template <std::size_t Index>
  void run_chain(const Eigen& backend, const TrainingBatch& batch) {
    constexpr std::size_t features = Plan::widths[Index];
    using Chunks = RowChunks<features, features, 256>;
    backend.pool().for_each_chunk(Chunks::count, [&](std::size_t chunk) {
      for_each_panel(batch.size, features, [&](std::size_t index, std::size_t, std::size_t vectors) {
        chain_of_rows<Index>(batch, Chunks::begin(chunk), Chunks::end(chunk), index, vectors);
      });
    });
  }

  template <std::size_t Index>
  void put_in_order_of_samples(const Eigen& backend, const TrainingBatch& batch) {
    constexpr std::size_t features = Plan::widths[Index];
    constexpr std::size_t stride = sample_stride<Scalar>(features);
    constexpr std::size_t step = features < 256 ? features : 16 * simd::lanes<V>;
    backend.pool().for_each_chunk((features + step - 1) / step, [&](std::size_t chunk) {
      const std::size_t begin = chunk * step;
      for_each_panel(batch.size, features, [&](std::size_t index, std::size_t place, std::size_t) {
        simd::transpose<V>({values(Index) + place + begin * width<Scalar>, width<Scalar>},
                           std::min(step, features - begin), samples_in<Scalar>(index, batch.size),
                           {sample_major(Index) + index * width<Scalar> * stride + begin, stride});
      });
    });
  }

  /// From the gradient of the logits in gradients_[0]. `sink_of(layer)` says what becomes of a layer's gradients.
  template <typename SinkOf>
  void backward(const Eigen& backend, const TrainingBatch& batch, const Scalar* parameters, const SinkOf& sink_of) {
    if constexpr (Plan::size > 1 && Plan::template is_chain<Plan::size - 1>) {
      chain_gradient_of_rows<Plan::size - 1>(batch, 0, M::output_size, gradients_[0].data());
    }
    Scalar* output_gradient = gradients_[0].data();
    Scalar* input_gradient = gradients_[1].data();
    for_each_index_reversed<Plan::size>([&]<std::size_t Index>() {
      if constexpr (!Plan::template is_chain<Index>) {
        using L = typename Plan::template Operation<Index>;
        if constexpr (Index > Plan::first_trained) {
          using Chunks = RowChunks<L::input_size, L::input_size, L::output_size>;
          backend.pool().for_each_chunk(Chunks::count, [&](std::size_t chunk) {
            for_each_panel(batch.size, 1, [&](std::size_t, std::size_t place, std::size_t vectors) {
              input_gradient_rows<L, V>(
                  parameters + M::parameter_offset(Plan::first_layer[Index]), output_gradient + place * L::output_size,
                  input_gradient + place * L::input_size, Chunks::begin(chunk), Chunks::end(chunk), vectors);
            });
            if constexpr (Plan::template is_chain<Index - 1>) {
              chain_gradient_of_rows<Index - 1>(batch, Chunks::begin(chunk), Chunks::end(chunk), input_gradient);
            }
          });
        }
        // Only now: the weights that gave the input's gradient may change.
        const auto sink = sink_of(Plan::first_layer[Index]);
        using Chunks = RowChunks<L::output_size, L::input_size, L::output_size>;
        backend.pool().for_each_chunk(Chunks::count, [&](std::size_t chunk) {
          weight_gradient_rows<L, V>(output_gradient, sample_major(Index), sample_stride<Scalar>(L::input_size),
                                     batch.size, Chunks::begin(chunk), Chunks::end(chunk), sink);
        });
        std::swap(output_gradient, input_gradient);
      }
    });
  }

  template <std::size_t Index>
  void chain_gradient_of_rows(const TrainingBatch& batch, std::size_t begin, std::size_t end, Scalar* gradients) {
    constexpr std::size_t features = Plan::widths[Index];
    for_each_panel(batch.size, features, [&](std::size_t index, std::size_t place, std::size_t vectors) {
      chain_gradient_rows<V>(typename Plan::template Operation<Index>{}, random_of(batch, Plan::first_layer[Index]),
                             features, begin, end, index, vectors, values(Index) + place, gradients + place);
    });
  }

  std::size_t capacity_;  // samples, whole panels
  AlignedBuffer<Scalar> values_;
  AlignedBuffer<Scalar> sample_major_;
  std::array<AlignedBuffer<Scalar>, 2> gradients_;
  AlignedBuffer<Scalar> parameter_gradients_;  // with clipping
  AlignedBuffer<Scalar> rows_;                 // for a teacher that answers each batch
};

}  // namespace retort::backend::panel

namespace retort::backend {

template <Model M, typename Scalar>
requires panel::PanelModel<M>
struct OwnTrainingSteps<Eigen, M, Scalar> {
  using type = panel::TrainingSteps<M, Scalar>;
};

}  // namespace retort::backend
