// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The products of a training step on panels, in the precision of the parameters.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/input_gradient.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/eigen/panel/weight_gradient.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

/// `rows` (batch, features) with sample_stride: `values` (features, batch) in panels. Compiled once for all layers.
template <typename Scalar>
void keep_by_sample(const Eigen& backend, const Scalar* values, std::size_t features, std::size_t batch, Scalar* rows) {
  const std::size_t stride = sample_stride<Scalar>(features);
  for_each_operand_piece<simd::Vector<Scalar>>(backend.pool(), features, [&](RowRange range) {
    for_each_panel<Scalar>(batch, range, [&](const PanelRows<Scalar>& panel) {
      simd::transpose<simd::Vector<Scalar>>(
          {values + panel.place(features) + range.begin * width<Scalar>, width<Scalar>}, range.count(), panel.samples,
          {rows + panel.first_sample() * stride + range.begin, stride});
    });
  });
}

/// Products read panels as they are. For the gradient of a weight, a layer's input is also kept by sample. Where a
/// dataset's bytes enter a Linear layer they stay bytes (docs/design.md, 15).
template <Model Whole, typename Scalar>
class FullProducts {
  using M = AfterPooling<Whole>;

 public:
  /// For batches of up to `capacity` samples, whole panels.
  explicit FullProducts(std::size_t capacity)
      : capacity_(capacity), by_sample_(AlignedBuffer<Scalar>::uninitialized(offset(Plan<M>::linear_count, capacity))) {
    if constexpr (takes_bytes) {
      byte_rows_.resize(capacity + byte_square);
      byte_copies_ = AlignedBuffer<std::uint8_t>::uninitialized(capacity * byte_stride);
      byte_panels_ = AlignedBuffer<std::uint8_t>::uninitialized(capacity * M::input_size);
      folded_bias_ = AlignedBuffer<Scalar>::uninitialized(First::output_size);
    }
  }

  /// Takes the batch in. Only a model that begins with another layer than a Linear finds it in `inputs` (panels)
  /// afterwards.
  void gather(const Eigen& backend, const TrainingBatch& batch, Scalar* inputs) {
    constants_ = data::GatherConstants<Scalar>(batch.data);
    are_bytes_ = takes_bytes && batch.data.bytes != nullptr && !batch.view.augmentation.distorts();
    if (are_bytes_) {
      find_byte_rows(backend, batch);
    }
    backend.pool().for_each_piece(count_for<Scalar>(batch.size), [&](std::size_t index) {
      const std::size_t first = index * width<Scalar>;
      const std::span samples(batch.samples + first, samples_in<Scalar>(index, batch.size));
      fetch_ahead(batch, first, samples.size());
      if (are_bytes_) {
        fill_byte_panel<Scalar>(byte_rows_.data() + first, samples.size(), M::input_size,
                                byte_panels_.data() + first * M::input_size);
        return;
      }
      Scalar* panel = inputs + first * M::input_size;
      if constexpr (!takes_bytes && !pools_inputs<Whole>) {
        if (!batch.view.augmentation.is_set()) {
          fill_panel<V>(batch.data, constants_, samples, panel);
          return;
        }
      }
      constexpr std::size_t stride = sample_stride<Scalar>(M::input_size);
      Scalar* rows = by_sample(0) + first * stride;
      gather_input_rows<Whole>(batch, constants_, samples, simd::Rows<Scalar>{rows, stride});
      fill_panel<V>({rows, stride}, samples.size(), M::input_size, panel);
    });
  }

  /// Called when the input of stage Index is complete.
  template <std::size_t Index>
  void keep_input(const Eigen& backend, std::size_t batch, const Scalar* values) {
    if constexpr (Stage<M, Index>::operation > 0) {
      keep_by_sample(backend, values, Stage<M, Index>::in, batch, by_sample(Index));
    }
  }

  /// Rows of the output of stage Index's Linear, here and in the functions below.
  template <std::size_t Index>
  void forward(const Scalar* parameters, const Scalar* input, Scalar* output, std::size_t batch, RowRange rows) {
    using L = typename Stage<M, Index>::Linear;
    if constexpr (Index == 0 && takes_bytes) {
      if (are_bytes_) {
        fold_offset<L, V>(parameters, constants_.offset, rows, folded_bias_.data());
        const Affine<Scalar> folded{constants_.scale, folded_bias_.data()};
        for_each_panel<Scalar>(batch, rows, [&](const PanelRows<Scalar>& panel) {
          forward_byte_rows<L, V>(parameters, folded, byte_panels_.data() + panel.place(L::input_size),
                                  output + panel.place(L::output_size), panel);
        });
        return;
      }
    }
    for_each_panel<Scalar>(batch, rows, [&](const PanelRows<Scalar>& panel) {
      forward_rows<L, V>(parameters, input + panel.place(L::input_size), output + panel.place(L::output_size), panel);
    });
  }

  /// Called when the gradient of that output is complete.
  template <std::size_t Index>
  void keep_output_gradient(const Eigen& /*backend*/, std::size_t /*batch*/, const Scalar* /*gradient*/) {}

  template <std::size_t Index>
  void input_gradient(const Scalar* parameters, const Scalar* output_gradient, Scalar* input_gradient,
                      std::size_t batch, RowRange rows) {
    using L = typename Stage<M, Index>::Linear;
    for_each_panel<Scalar>(batch, rows, [&](const PanelRows<Scalar>& panel) {
      input_gradient_rows<L, V>(parameters, output_gradient + panel.place(L::output_size),
                                input_gradient + panel.place(L::input_size), panel);
    });
  }

  /// `sums` (out): the output gradient, summed over the batch.
  template <std::size_t Index, typename Sink>
  void weight_gradient(const Scalar* output_gradient, const Scalar* sums, std::size_t batch, RowRange rows,
                       const Sink& sink) {
    using L = typename Stage<M, Index>::Linear;
    if constexpr (Index == 0 && takes_bytes) {
      if (are_bytes_) {
        const ByteSamples<Scalar> input{byte_rows_.data(), constants_.scale, constants_.offset};
        weight_gradient_rows<L, V>(output_gradient, sums, input, batch, rows, sink);
        return;
      }
    }
    const SampleMajor<Scalar> input{by_sample(Index), sample_stride<Scalar>(L::input_size)};
    weight_gradient_rows<L, V>(output_gradient, sums, input, batch, rows, sink);
  }

 private:
  using V = simd::Vector<Scalar>;
  using First = typename Stage<M, 0>::Linear;

  /// Layers before the first Linear act on numbers, and means of bytes are numbers.
  static constexpr bool takes_bytes = Plan<M>::template is_linear<0> && !pools_inputs<Whole>;
  /// Bytes between two samples: whole vectors may be read from the end of the last.
  static constexpr std::size_t byte_stride = sample_stride<std::uint8_t>(M::input_size);

  /// A dataset's own rows serve as they are, unless images are moved or whole vectors would reach beyond the dataset's
  /// end.
  static bool copies_bytes(const TrainingBatch& batch) {
    return batch.view.augmentation.shift != 0 || M::input_size % simd::lanes<V> != 0;
  }

  /// Where each sample's bytes are. Whole squares of bytes are read, also of the next panel's rows, so all are in place
  /// before the first panel is filled; after the last sample its row is repeated.
  void find_byte_rows(const Eigen& backend, const TrainingBatch& batch) {
    const bool copies = copies_bytes(batch);
    if (copies) {
      backend.pool().for_each_piece(count_for<Scalar>(batch.size), [&](std::size_t index) {
        const std::size_t first = index * width<Scalar>;
        const std::span samples(batch.samples + first, samples_in<Scalar>(index, batch.size));
        copy_byte_rows(batch, samples, {byte_copies_.data() + first * byte_stride, byte_stride});
      });
    }
    for (std::size_t i = 0; i < batch.size; ++i) {
      byte_rows_[i] = copies ? byte_copies_.data() + i * byte_stride
                             : batch.data.bytes + std::size_t{batch.samples[i]} * M::input_size;
    }
    const std::size_t end = std::min(byte_rows_.size(), batch.size + width<Scalar> + byte_square);
    std::fill(byte_rows_.begin() + static_cast<std::ptrdiff_t>(batch.size),
              byte_rows_.begin() + static_cast<std::ptrdiff_t>(end), byte_rows_[batch.size - 1]);
  }

  static constexpr std::size_t offset(std::size_t stage, std::size_t capacity) {
    return operand_offset<M>(stage, [&]<typename L>() { return capacity * sample_stride<Scalar>(L::input_size); });
  }
  /// A stage's input, (capacity, in) with sample_stride.
  Scalar* by_sample(std::size_t stage) { return by_sample_.data() + offset(stage, capacity_); }

  std::size_t capacity_;
  AlignedBuffer<Scalar> by_sample_;
  bool are_bytes_ = false;  // the batch is in the buffers below as bytes
  data::GatherConstants<Scalar> constants_{};
  std::vector<const std::uint8_t*> byte_rows_;  // (batch)
  AlignedBuffer<std::uint8_t> byte_copies_;     // (batch, in) with byte_stride, where they are not the dataset's own
  AlignedBuffer<std::uint8_t> byte_panels_;     // (in, batch) in panels
  AlignedBuffer<Scalar> folded_bias_;           // (out of the first layer)
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
