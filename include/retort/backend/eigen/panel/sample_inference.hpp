// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A few samples through a whole model, each as a row: alone, or in company with panels (row_inference.hpp), which then
/// read the same weights while these are in the cache.

#include <algorithm>
#include <array>
#include <cstddef>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/joint_products.hpp"
#include "retort/backend/eigen/panel/normalization.hpp"
#include "retort/backend/eigen/panel/operations.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/row_inference.hpp"
#include "retort/backend/eigen/panel/sample_products.hpp"
#include "retort/backend/generic/normalized_row.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// A few samples on their way through a model: rows (samples, features) with row_stride, before and after each Linear
/// layer. The members take parts of an operation, which threads may share. One lives on a thread at a time, as its
/// memory is the thread's scratch.
template <Model M, typename Scalar>
class SampleRows {
 public:
  using Plan = backend::Plan<M>;
  using V = simd::Vector<Scalar>;
  template <std::size_t Index>
  using Operation = typename Plan::template Operation<Index>;

  /// input (samples, in). Precondition: samples <= few_samples, or 1.
  SampleRows(const InferenceTensors<Scalar>& tensors, const Scalar* input, std::size_t samples)
      : tensors_(tensors), samples_(samples), first_(input) {
    Scalar* start = memory();
    halves_ = {start, start + half};
    if (samples > 1 || !Plan::template is_linear<0>) {
      constexpr std::size_t stride = row_stride<V>(M::input_size);
      if constexpr (stride == M::input_size) {
        std::copy_n(input, samples * M::input_size, start);
      } else {
        for (std::size_t sample = 0; sample < samples; ++sample) {
          std::copy_n(input + sample * M::input_size, M::input_size, start + sample * stride);
        }
      }
      first_ = start;
      by_rows<0>(start, samples, {0, M::input_size});
    }
  }

  /// The calling thread's memory for the rows of any such samples. Whoever answers a batch asks for it, so that later
  /// batches, which may leave a few samples over, allocate nothing.
  static Scalar* memory() {
    struct RowsTag;
    return internal::thread_scratch<Scalar, RowsTag>(2 * half);
  }

  /// Columns of the output of operation Index, a Linear layer, and of the operations by rows after it. They begin and
  /// end at multiples of column_step, or at the output's end, and are not none.
  template <std::size_t Index>
  void linear(RowRange columns) const {
    detail::infer_sample_rows<Operation<Index>, V>(parameters<Index>(), input<Index>(), output<Index>(), samples_,
                                                   columns);
    by_rows<Index + 1>(output<Index>(), samples_, columns);
  }

  /// Samples [begin, end) through operation Index, a LayerNorm, and the operations by rows after it. All at once where
  /// rows are narrow.
  template <std::size_t Index>
  void layer_norm(RowRange samples) const {
    constexpr std::size_t features = Plan::widths[Index];
    using L = Operation<Index>;
    Scalar* rows = halves_[Plan::template stage_of<Index> % 2] + samples.begin * row_stride<V>(features);
    const Scalar* weight = parameters<Index>();
    for (std::size_t sample = 0; sample < samples.count(); ++sample) {
      Scalar* row = rows + sample * row_stride<V>(features);
      backend::detail::LayerNormRow<L, Scalar>{weight, weight + bias_offset<L>, row, row}(0);
    }
    by_rows<Index + 1>(rows, samples.count(), {0, features});
  }

  std::size_t samples() const { return samples_; }

  /// Into logits (samples, out), once all operations are done.
  void write(Scalar* logits) const {
    const Scalar* last = halves_[Plan::linear_count % 2];
    for (std::size_t sample = 0; sample < samples_; ++sample) {
      std::copy_n(last + sample * row_stride<V>(M::output_size), M::output_size, logits + sample * M::output_size);
    }
  }

  /// The row of the only sample before a Linear layer, if there is one alone, and after it.
  template <std::size_t Index>
  SampleProduct<Scalar> product() const {
    return {samples_ == 1 ? input<Index>() : nullptr, output<Index>()};
  }

  /// From all its sums on as `linear`.
  template <std::size_t Index>
  void finish() const {
    const RowRange columns{0, Plan::widths[Index + 1]};
    detail::add_bias<Operation<Index>, V>(parameters<Index>(), columns, output<Index>());
    by_rows<Index + 1>(output<Index>(), 1, columns);
  }

 private:
  static constexpr std::size_t half = few_samples<V> * whole_vectors<V>(Plan::widest);

  template <std::size_t Index>
  const Scalar* input() const {
    constexpr std::size_t stage = Plan::template stage_of<Index>;
    return stage == 0 ? first_ : halves_[stage % 2];
  }

  template <std::size_t Index>
  Scalar* output() const {
    return halves_[(Plan::template stage_of<Index> + 1) % 2];
  }

  template <std::size_t Index>
  const Scalar* parameters() const {
    return tensors_.parameters + M::parameter_offset(Plan::first_layer[Index]);
  }

  /// Columns of rows in place through operation Index and those after it, as far as they are by rows.
  template <std::size_t Index>
  void by_rows(Scalar* rows, std::size_t samples, RowRange columns) const {
    if constexpr (Index < Plan::size) {
      if constexpr (is_by_rows<Operation<Index>>) {
        if constexpr (is_batch_norm<Operation<Index>>) {
          infer_batch_norm_columns<Operation<Index>, V>(parameters<Index>(),
                                                        tensors_.buffers + M::buffer_offset(Plan::first_layer[Index]),
                                                        rows, samples, row_stride<V>(Plan::widths[Index]), columns);
        } else if constexpr (!Operation<Index>::only_dropout) {
          constexpr std::size_t features = Plan::widths[Index];
          constexpr bool narrow = is_narrow<V>(features);  // then all rows are one
          for (std::size_t sample = 0; sample < (narrow ? 1 : samples); ++sample) {
            // One row of a panel, in which the features stand where samples do.
            detail::apply_layers<false, false, V>(
                Operation<Index>{}, {}, features,
                PanelRows<Scalar>{{0, 1}, 0, narrow ? samples * features : columns.count()},
                rows + sample * row_stride<V>(features) + columns.begin);
          }
        }
        by_rows<Index + 1>(rows, samples, columns);
      }
    }
  }

  const InferenceTensors<Scalar>& tensors_;
  std::size_t samples_;
  const Scalar* first_;
  std::array<Scalar*, 2> halves_;
};

/// A few samples, or none, behind a batch in panels. `multiplies`: whether the last panel may have products of its own,
/// as it has where the batch is one vector, or one sample is left.
template <Model M, typename Scalar, bool multiplies>
class SampleCompany final : public Company<Scalar> {
 public:
  using Plan = backend::Plan<M>;
  using V = simd::Vector<Scalar>;

  /// input (samples, in), and the number of samples before it.
  SampleCompany(const InferenceTensors<Scalar>& tensors, const Scalar* input, std::size_t samples, std::size_t batch)
      : rows_(tensors, input, samples), parameters_(tensors.parameters), paired_(batch <= simd::lanes<V>) {
    const std::size_t last = batch - (count_for<Scalar>(batch) - 1) * width<Scalar>;
    this->joint = multiplies && (paired_ || (samples == 1 && last > simd::lanes<V>));
    this->apart = samples > (this->joint ? 1 : 0);
  }

  /// The calling thread's memory for a panel in pairs. As of SampleRows::memory.
  static Scalar* memory() {
    struct PairsTag;
    return internal::thread_scratch<Scalar, PairsTag>(multiplies ? paired_size<V>(Plan::widest) : 0);
  }

  void take(std::size_t operation, RowRange part) const override {
    for_operation(operation, [&]<std::size_t Index>() { take_part<Index>(part); });
  }

  void begin(std::size_t operation, const Scalar* input) const override {
    if (multiplies && paired_) {
      pair_rows_of_vector<V>(input, Plan::widths[operation], paired_input_);
    }
  }

  void multiply(std::size_t operation, const Scalar* input, Scalar* output,
                const PanelRows<Scalar>& part) const override {
    for_operation(operation, [&]<std::size_t Index>() { multiply_part<Index>(input, output, part); });
  }

  void finish(std::size_t operation) const override {
    for_operation(operation, [&]<std::size_t Index>() {
      if constexpr (multiplies && Plan::template is_linear<Index>) {
        if (rows_.samples() == 1) {
          rows_.template finish<Index>();
        }
      }
    });
  }

  void write(Scalar* logits) const { rows_.write(logits); }

 private:
  template <typename Function>
  static void for_operation(std::size_t operation, const Function& function) {
    internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
      if (Index == operation) {
        function.template operator()<Index>();
      }
    });
  }

  template <std::size_t Index>
  void multiply_part(const Scalar* input, Scalar* output, const PanelRows<Scalar>& part) const {
    if constexpr (multiplies && Plan::template is_linear<Index>) {
      using Linear = typename Plan::template Operation<Index>;
      const Scalar* parameters = parameters_ + M::parameter_offset(Plan::first_layer[Index]);
      const SampleProduct<Scalar> sample = rows_.template product<Index>();
      if (paired_) {
        forward_paired_rows<Linear, V>(parameters, paired_input_, output, part, sample);
      } else {
        forward_joint_rows<Linear, V>(parameters, input, output, part, sample);
      }
    }
  }

  template <std::size_t Index>
  void take_part(RowRange part) const {
    if constexpr (Plan::template is_linear<Index>) {
      constexpr std::size_t out = Plan::widths[Index + 1];
      constexpr std::size_t step = column_step<V>(out);
      const auto column = [&](std::size_t row) { return std::min((row + step - 1) / step * step, out); };
      const RowRange columns{column(part.begin), column(part.end)};
      if (columns.count() > 0) {  // rows of a narrow output are not cut: the first part takes them
        rows_.template linear<Index>(columns);
      }
    } else if constexpr (is_layer_norm<typename Plan::template Operation<Index>>) {
      constexpr std::size_t features = Plan::widths[Index];
      if constexpr (is_narrow<V>(features)) {
        if (part.begin == 0) {
          rows_.template layer_norm<Index>({0, rows_.samples()});
        }
      } else {
        for (std::size_t sample = 0; sample < rows_.samples(); ++sample) {
          const std::size_t turn = sample % simd::tile_vectors<V>;
          if (part.begin <= turn && turn < part.end) {
            rows_.template layer_norm<Index>({sample, sample + 1});
          }
        }
      }
    }
  }

  SampleRows<M, Scalar> rows_;
  const Scalar* parameters_;
  bool paired_;
  Scalar* paired_input_ = memory();
};

namespace detail {

/// How the rows of a layer's product with few samples are cut for threads: about sixteen pieces, as processors foresee
/// long reads better, or one piece for a small layer and for a narrow output.
template <typename L, typename V>
using SamplePieces = EvenPieces<L::output_size, L::input_size * L::output_size, column_step<V>(L::output_size),
                                (std::size_t{1} << 15), 16>;

/// Whether a layer's product with so many samples takes longer than a thread takes to wake: 7 us of a Zen 4 core.
template <typename L>
constexpr bool is_worth_threads(std::size_t samples) {
  return samples * L::input_size * L::output_size >= std::size_t{1} << 18;
}

/// Numbers that are worth a second thread in a LayerNorm.
inline constexpr std::size_t least_normalised = std::size_t{1} << 12;

}  // namespace detail

/// The logits (samples, out) of a few samples, input (samples, in), on the backend's threads. Precondition: samples <=
/// few_samples, or 1.
template <Model M, typename Scalar>
void infer_samples(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Scalar* input, Scalar* logits,
                   std::size_t samples) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  const SampleRows<M, Scalar> rows(tensors, input, samples);
  internal::for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    if constexpr (Plan::template is_linear<Index>) {
      using Pieces = detail::SamplePieces<Operation, V>;
      const auto take = [&](RowRange columns) { rows.template linear<Index>(columns); };
      if constexpr (Pieces::count > 1) {  // a small model answers in less than a microsecond: no branch to spare
        if (detail::is_worth_threads<Operation>(samples)) {
          for_each_piece<Pieces>(backend.pool(), take);
          return;
        }
      }
      take({0, Operation::output_size});
    } else if constexpr (is_layer_norm<Operation>) {
      constexpr std::size_t features = Operation::input_size;
      if constexpr (!is_narrow<V>(features)) {
        if (samples * features >= detail::least_normalised) {
          backend.pool().for_each_piece(
              samples, [&](std::size_t sample) { rows.template layer_norm<Index>({sample, sample + 1}); });
          return;
        }
      }
      rows.template layer_norm<Index>({0, samples});
    }
  });
  rows.write(logits);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
