#pragma once
/// @file
/// The products of a training step on panels, in the precision of the parameters.

#include <algorithm>
#include <cstddef>
#include <span>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/linear.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/plan.hpp"
#include "retort/backend/training_step.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend::panel {

/// Products read panels as they are. For the gradient of a weight, what enters a layer is kept once more by sample.
template <Model M, typename Scalar>
class FullOperands {
 public:
  /// For batches of up to `capacity` samples, whole panels.
  explicit FullOperands(std::size_t capacity) : capacity_(capacity), by_sample_(offset(Plan::size, capacity)) {}

  /// Fills the panels that enter the model.
  void gather(const Eigen& backend, const TrainingBatch& batch, Scalar* inputs) {
    constexpr std::size_t stride = sample_stride<Scalar>(M::input_size);
    // A chain before the first Linear acts on the panels, and what leaves it is then put in order of samples.
    constexpr bool begins_with_chain = Plan::template is_chain<0>;
    const data::GatherConstants<Scalar> constants(batch.data);
    backend.pool().for_each_chunk(count_for<Scalar>(batch.size), [&](std::size_t index) {
      const std::size_t first = index * width<Scalar>;
      const std::span samples(batch.samples + first, samples_in<Scalar>(index, batch.size));
      Scalar* panel = inputs + first * M::input_size;
      if (begins_with_chain && batch.shift.pixels == 0) {
        fill_panel<V>(batch.data, constants, samples, panel);
        return;
      }
      Scalar* rows = by_sample(begins_with_chain ? 1 : 0) + first * stride;
      gather_rows(batch, constants, samples, {rows, stride});
      if (batch.data.bytes != nullptr && batch.shift.pixels == 0) {
        fill_panel_with_bytes(batch.data, constants, samples, panel);
      } else {
        fill_panel<V>({rows, stride}, samples.size(), M::input_size, panel);
      }
    });
  }

  /// What enters operation Index, a Linear layer, is complete.
  template <std::size_t Index>
  void keep_input(const Eigen& backend, std::size_t batch, const Scalar* values) {
    if constexpr (Index > 0) {
      constexpr std::size_t features = Plan::widths[Index];
      constexpr std::size_t stride = sample_stride<Scalar>(features);
      constexpr std::size_t step = features < 256 ? features : 16 * simd::lanes<V>;
      backend.pool().for_each_chunk((features + step - 1) / step, [&](std::size_t chunk) {
        const std::size_t begin = chunk * step;
        for_each_panel<Scalar>(batch, features, [&](std::size_t index, std::size_t place, std::size_t samples) {
          simd::transpose<V>({values + place + begin * width<Scalar>, width<Scalar>}, std::min(step, features - begin),
                             samples, {by_sample(Index) + index * width<Scalar> * stride + begin, stride});
        });
      });
    }
  }

  /// Rows [begin, end) of what leaves operation Index, also below.
  template <std::size_t Index>
  void forward(const Scalar* parameters, const Scalar* input, Scalar* output, std::size_t batch, std::size_t begin,
               std::size_t end) {
    using L = typename Plan::template Operation<Index>;
    for_each_panel<Scalar>(batch, 1, [&](std::size_t, std::size_t place, std::size_t samples) {
      forward_rows<L, V>(parameters, input + place * L::input_size, output + place * L::output_size, begin, end,
                         vectors_for<V>(samples));
    });
  }

  /// The gradient of what leaves operation Index is complete.
  template <std::size_t Index>
  void keep_output_gradient(const Eigen& /*backend*/, std::size_t /*batch*/, const Scalar* /*gradient*/) {}

  template <std::size_t Index>
  void input_gradient(const Scalar* parameters, const Scalar* output_gradient, Scalar* input_gradient,
                      std::size_t batch, std::size_t begin, std::size_t end) {
    using L = typename Plan::template Operation<Index>;
    for_each_panel<Scalar>(batch, 1, [&](std::size_t, std::size_t place, std::size_t samples) {
      input_gradient_rows<L, V>(parameters, output_gradient + place * L::output_size,
                                input_gradient + place * L::input_size, begin, end, vectors_for<V>(samples));
    });
  }

  template <std::size_t Index, typename Sink>
  void weight_gradient(const Scalar* output_gradient, std::size_t batch, std::size_t begin, std::size_t end,
                       const Sink& sink) {
    using L = typename Plan::template Operation<Index>;
    weight_gradient_rows<L, V>(output_gradient, by_sample(Index), sample_stride<Scalar>(L::input_size), batch, begin,
                               end, sink);
  }

 private:
  using V = simd::Vector<Scalar>;
  using Plan = backend::Plan<M>;

  static constexpr std::size_t offset(std::size_t operation, std::size_t capacity) {
    return operand_offset<M>(operation, [&]<typename L>() { return capacity * sample_stride<Scalar>(L::input_size); });
  }
  /// What enters a Linear layer, (capacity, in) with sample_stride.
  Scalar* by_sample(std::size_t operation) { return by_sample_.data() + offset(operation, capacity_); }

  std::size_t capacity_;
  AlignedBuffer<Scalar> by_sample_;
};

}  // namespace retort::backend::panel
