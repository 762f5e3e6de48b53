#pragma once
/// @file
/// Whole models outside of training, on panels: a panel runs through all layers while it is in the cache. A sample
/// alone is a chain of matrix-vector products.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/chain.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/product.hpp"
#include "retort/backend/plan.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/transpose.hpp"
#include "retort/simd/vector.hpp"

namespace retort::backend::panel {

/// Elements of scratch for the inference of one panel.
template <Model M, typename Scalar>
inline constexpr std::size_t inference_scratch = 2 * Plan<M>::widest* width<Scalar>;

namespace detail {

/// The logits of `count` samples from their panel, in rows (count, out). `scratch`: two panels of the widest layer, of
/// which the first begins with the inputs. A Linear layer that the model begins with is `first(output, vectors)`.
template <Model M, typename Scalar, typename First>
void infer_panel(const Scalar* parameters, std::size_t count, Scalar* scratch, Scalar* logits, const First& first) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  const std::size_t vectors = vectors_for<V>(count);
  Scalar* current = scratch;
  Scalar* other = scratch + Plan::widest * width<Scalar>;
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    if constexpr (Plan::template is_chain<Index>) {
      chain_rows<false, V>(Operation{}, {}, Plan::widths[Index], 0, Plan::widths[Index], 0, vectors, current);
    } else {
      if constexpr (Index == 0) {
        first(other, vectors);
      } else {
        forward_rows<Operation, V>(parameters + M::parameter_offset(Plan::first_layer[Index]), current, other, 0,
                                   Operation::output_size, vectors);
      }
      std::swap(current, other);
    }
  });
  simd::transpose<V>({current, width<Scalar>}, M::output_size, count, {logits, M::output_size});
}

/// infer_panel of numbers. `ahead`: the next panel's inputs, fetched meanwhile.
template <Model M, typename Scalar>
void infer_number_panel(const Scalar* parameters, std::size_t count, Scalar* scratch, Scalar* logits,
                        Ahead ahead = {}) {
  infer_panel<M>(parameters, count, scratch, logits, [&](Scalar* output, std::size_t vectors) {
    if constexpr (!Plan<M>::template is_chain<0>) {
      using First = typename Plan<M>::template Operation<0>;
      forward_rows<First, simd::Vector<Scalar>>(parameters, scratch, output, 0, First::output_size, vectors, ahead);
    }
  });
}

/// The logits of every sample of a dataset of bytes, by a model that begins with a Linear layer.
template <Model M, typename Scalar>
void infer_bytes(const Eigen& backend, const Scalar* parameters, const data::DatasetView& data, Scalar* logits) {
  struct ScratchTag;
  struct BytesTag;
  struct BiasTag;
  using V = simd::Vector<Scalar>;
  using First = typename Plan<M>::template Operation<0>;
  const data::GatherConstants<Scalar> constants(data);
  Scalar* folded = backend::detail::thread_scratch<Scalar, BiasTag>(First::output_size);
  fold_offset<First, V>(parameters, constants.offset, 0, First::output_size, folded);
  backend.pool().for_each_chunk(count_for<Scalar>(data.size), [&](std::size_t index) {
    Scalar* scratch = backend::detail::thread_scratch<Scalar, ScratchTag>(inference_scratch<M, Scalar>);
    auto* panel = backend::detail::thread_scratch<std::uint8_t, BytesTag>(M::input_size * width<Scalar>);
    const std::size_t first = index * width<Scalar>;
    const std::size_t count = samples_in<Scalar>(index, data.size);
    const simd::Rows<const std::uint8_t> rows{data.bytes + first * data.features, data.features};
    fill_byte_panel<Scalar>(byte_rows<Scalar>(rows, count).data(), count, M::input_size, panel);
    infer_panel<
        M>(parameters, count, scratch, logits + first * M::output_size, [&](Scalar* output, std::size_t vectors) {
      forward_byte_rows<First, V>(parameters, {constants.scale, folded}, panel, output, 0, First::output_size, vectors);
    });
  });
}

/// Columns outputs of one sample.
template <typename V, std::size_t Columns>
RETORT_NOINLINE void sample_tile(const simd::ScalarOf<V>* input, const simd::ScalarOf<V>* weight, std::size_t in,
                                 simd::ScalarOf<V>* output) {
  simd::dot_tile<V, 1, Columns>({input, in}, {weight, in}, in, output);
}

/// output (out) = weight (out, in) input (in) + bias. `output` has room for whole vectors.
template <typename L, typename V>
void infer_sample_linear(const simd::ScalarOf<V>* parameters, const simd::ScalarOf<V>* input,
                         simd::ScalarOf<V>* output) {
  constexpr std::size_t rest = L::output_size % simd::lanes<V>;
  std::size_t row = 0;
  for (; row + simd::lanes<V> <= L::output_size; row += simd::lanes<V>) {
    sample_tile<V, simd::lanes<V>>(input, parameters + row * L::input_size, L::input_size, output + row);
  }
  if constexpr (rest > 0) {
    sample_tile<V, rest>(input, parameters + row * L::input_size, L::input_size, output + row);
  }
  if constexpr (L::has_bias) {
    for (std::size_t i = 0; i < L::output_size; ++i) {
      output[i] += parameters[bias_offset<L> + i];
    }
  }
}

/// The logits (out) of one sample. `scratch` as for infer_panel.
template <Model M, typename Scalar>
void infer_sample(const Scalar* parameters, const Scalar* input, Scalar* scratch, Scalar* logits) {
  using V = simd::Vector<Scalar>;
  using Plan = Plan<M>;
  const Scalar* current = input;
  std::array<Scalar*, 2> halves{scratch, scratch + Plan::widest * width<Scalar>};
  for_each_index<Plan::size>([&]<std::size_t Index>() {
    using Operation = typename Plan::template Operation<Index>;
    constexpr std::size_t features = Plan::widths[Index];
    if constexpr (!Plan::template is_chain<Index>) {
      infer_sample_linear<Operation, V>(parameters + M::parameter_offset(Plan::first_layer[Index]), current, halves[0]);
      current = halves[0];
      std::swap(halves[0], halves[1]);
    } else if constexpr (!Operation::only_dropout) {
      Scalar* values = current == input ? halves[0] : halves[1];
      if (current == input) {
        std::copy_n(input, features, values);
        std::swap(halves[0], halves[1]);
      }
      apply_layers<false, false, V>(Operation{}, {}, RowGroup<Scalar>{features, 0, 1, 0, vectors_for<V>(features)},
                                    values);
      current = values;
    }
  });
  std::copy_n(current, M::output_size, logits);
}

}  // namespace detail

/// logits (batch, out) of inputs (batch, in), on the backend's threads.
template <Model M, typename Scalar>
void infer(const Eigen& backend, const Scalar* parameters, const Scalar* inputs, Scalar* logits, std::size_t batch) {
  struct ScratchTag;
  using V = simd::Vector<Scalar>;
  if (batch == 1) {
    Scalar* scratch = backend::detail::thread_scratch<Scalar, ScratchTag>(inference_scratch<M, Scalar>);
    detail::infer_sample<M>(parameters, inputs, scratch, logits);
    return;
  }
  backend.pool().for_each_chunk(count_for<Scalar>(batch), [&](std::size_t index) {
    Scalar* scratch = backend::detail::thread_scratch<Scalar, ScratchTag>(inference_scratch<M, Scalar>);
    const std::size_t first = index * width<Scalar>;
    const std::size_t count = samples_in<Scalar>(index, batch);
    fill_panel<V>({inputs + first * M::input_size, M::input_size}, count, M::input_size, scratch);
    const Scalar* next = inputs + (first + width<Scalar>)*M::input_size;
    const bool has_next = first + 2 * width<Scalar> <= batch;
    detail::infer_number_panel<M>(parameters, count, scratch, logits + first * M::output_size,
                                  Ahead{has_next ? reinterpret_cast<const std::byte*>(next) : nullptr});
  });
}

/// logits (data.size, out) of every sample of a dataset, normalised but not augmented.
template <Model M, typename Scalar>
void infer(const Eigen& backend, const Scalar* parameters, const data::DatasetView& data, Scalar* logits) {
  struct ScratchTag;
  using V = simd::Vector<Scalar>;
  if constexpr (!Plan<M>::template is_chain<0>) {
    if (data.bytes != nullptr) {
      detail::infer_bytes<M>(backend, parameters, data, logits);
      return;
    }
  }
  const data::GatherConstants<Scalar> constants(data);
  backend.pool().for_each_chunk(count_for<Scalar>(data.size), [&](std::size_t index) {
    Scalar* scratch = backend::detail::thread_scratch<Scalar, ScratchTag>(inference_scratch<M, Scalar>);
    const std::size_t first = index * width<Scalar>;
    std::array<std::uint32_t, width<Scalar>> samples;
    std::iota(samples.begin(), samples.end(), static_cast<std::uint32_t>(first));
    const std::size_t count = samples_in<Scalar>(index, data.size);
    fill_panel<V>(data, constants, std::span<const std::uint32_t>(samples).first(count), scratch);
    detail::infer_number_panel<M>(parameters, count, scratch, logits + first * M::output_size);
  });
}

}  // namespace retort::backend::panel
