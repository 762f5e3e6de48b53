// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whole models outside of training, on panels: a panel runs through all layers while it is in the cache. Panels that
/// would leave threads idle are split by rows (row_inference.hpp); a few samples have products of their own
/// (sample_inference.hpp) where no training asks.

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/eigen/panel/row_inference.hpp"
#include "retort/backend/eigen/panel/sample_inference.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/matrix_view.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// The logits (size, out) of all samples. Panels that the threads can share evenly stay whole; the rows of the others,
/// which are fewer than threads, are split where that is worth it. Company goes with these; on one thread, with the
/// last.
template <Model M, typename Products, typename Scalar, typename Inputs>
void infer_panels(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Inputs& inputs, Scalar* logits,
                  const Company<Scalar>* company = nullptr) {
  const std::size_t panels = count_for<Scalar>(inputs.size());
  std::size_t split = 0;
  if constexpr (has_wide_layer<M>) {
    const bool alone = backend.threads() == 1;
    split = alone && company != nullptr ? 1 : panels % backend.threads();
  }
  backend.pool().for_each_piece(
      panels - split, [&](std::size_t index) { infer_rows<M, Products>({}, tensors, inputs, index, 1, logits); });
  if constexpr (has_wide_layer<M>) {
    if (split > 0) {
      infer_rows<M, Products>({&backend.pool()}, tensors, inputs, panels - split, split, logits, company);
    }
  }
}

/// How many samples each thread takes of those that panels of all threads together leave over; 0 where threads had
/// better share rows: where a thread would get a single vector, or some much less than others.
template <typename Scalar>
std::size_t samples_of_thread(std::size_t left, std::size_t threads) {
  using V = simd::Vector<Scalar>;
  const std::size_t part = whole_vectors<V>((left + threads - 1) / threads);
  const bool even = part * threads <= left + left / 8 || count_for<Scalar>(left) % threads == 0;
  return threads > 1 && part >= 2 * simd::lanes<V> && even ? part : 0;
}

/// The logits (batch.rows, out) of a batch. What its last panels hold is cut by samples where that is even, so that
/// threads need not wait for one another after each layer. `Inputs`: BatchInputs, or PooledBatchInputs.
template <Model M, typename Products, typename Inputs, typename Scalar>
void infer_batch(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const MatrixView<const Scalar>& batch,
                 Scalar* logits, const Company<Scalar>* company = nullptr) {
  std::size_t in_panels = batch.rows;
  if constexpr (has_wide_layer<M>) {
    // Later batches, as large at most, may split more panels than this, and are to allocate nothing.
    static_cast<void>(
        InferenceScratch<M, Scalar>(std::min(count_for<Scalar>(batch.rows), std::size_t{backend.threads()} - 1)));
    const std::size_t left = batch.rows % (backend.threads() * width<Scalar>);
    const std::size_t part = samples_of_thread<Scalar>(left, backend.threads());
    if (company == nullptr && part > 0) {
      in_panels -= left;
      backend.pool().for_each_piece((left + part - 1) / part, [&](std::size_t index) {
        const std::size_t first = in_panels + index * part;
        const Inputs samples{{batch.row(first), std::min(part, batch.rows - first), batch.columns}};
        infer_rows<M, Products>({}, tensors, NumberInputs<Scalar>(samples), 0, 1, logits + first * M::output_size);
      });
    }
  }
  if (in_panels > 0) {
    const Inputs samples{{batch.data, in_panels, batch.columns}};
    infer_panels<M, Products>(backend, tensors, NumberInputs<Scalar>(samples), logits, company);
  }
}

/// Rows (batch, in) in the host's memory as inputs of a model, pooled where it begins so.
template <Model Whole, typename Scalar>
using BatchInputsOf =
    std::conditional_t<pools_inputs<Whole>, PooledBatchInputs<PoolingOf<Whole>, Scalar>, BatchInputs<Scalar>>;

/// The logits (batch.rows + samples, out) of a batch and of a few samples behind it, rows (samples, in).
template <Model M, typename Products, typename Inputs, typename Scalar>
void infer_batch_and_rows(const Eigen& backend, const InferenceTensors<Scalar>& tensors,
                          const MatrixView<const Scalar>& batch, const Scalar* rows, std::size_t samples,
                          Scalar* logits) {
  using V = simd::Vector<Scalar>;
  Scalar* logits_of_rows = logits + batch.rows * M::output_size;
  SampleRows<M, Scalar>::memory();
  if constexpr (has_wide_layer<M>) {
    constexpr bool multiplies = has_joint_products<V> && !Products::by_words;
    using Company = SampleCompany<M, Scalar, multiplies>;
    Company::memory();
    const std::size_t panels = count_for<Scalar>(batch.rows);
    const bool one_vector = multiplies && vectors_for<V>(batch.rows) == 1;
    if (one_vector || (samples > 0 && (backend.threads() == 1 ? panels > 0 : panels % backend.threads() > 0))) {
      const Company company(tensors, rows, samples, batch.rows);
      infer_batch<M, Products, Inputs>(backend, tensors, batch, logits, &company);
      company.write(logits_of_rows);
      return;
    }
  }
  infer_batch<M, Products, Inputs>(backend, tensors, batch, logits);
  if (samples > 0) {
    infer_samples<M>(backend, tensors, rows, logits_of_rows, samples);
  }
}

}  // namespace detail

/// logits (batch, out) of inputs (batch, in), on the backend's threads. A sample has the same bits in every batch.
template <Model Whole, typename Products = OwnPrecision, typename Scalar>
void infer(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Scalar* inputs, Scalar* logits,
           std::size_t batch) {
  using M = AfterPooling<Whole>;
  const MatrixView<const Scalar> samples{inputs, batch, Whole::input_size};
  detail::infer_batch<M, Products, detail::BatchInputsOf<Whole, Scalar>>(backend, tensors, samples, logits);
}

/// The same, but a few samples, alone or behind the last panel, have products of their own, in precision always, and so
/// may a batch of one vector before them (joint_products.hpp): they may differ in their last bits.
template <Model Whole, typename Products = OwnPrecision, typename Scalar>
void infer_with_few(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Scalar* inputs, Scalar* logits,
                    std::size_t batch) {
  using M = AfterPooling<Whole>;
  using V = simd::Vector<Scalar>;
  std::size_t rest = batch % samples_at_once<V>;
  rest = rest <= few_samples<V> ? rest : 0;
  const MatrixView<const Scalar> in_panels{inputs, batch - rest, Whole::input_size};
  const Scalar* rows = in_panels.row(batch - rest);
  if constexpr (pools_inputs<Whole>) {
    struct RestTag;
    Scalar* pooled = internal::thread_scratch<Scalar, RestTag>(few_samples<V> * M::input_size);
    for (std::size_t sample = 0; sample < rest; ++sample) {
      detail::pool_numbers<PoolingOf<Whole>>(rows + sample * Whole::input_size, pooled + sample * M::input_size);
    }
    rows = pooled;
  }
  detail::infer_batch_and_rows<M, Products, detail::BatchInputsOf<Whole, Scalar>>(backend, tensors, in_panels, rows,
                                                                                  rest, logits);
}

/// logits (data.size, out) of every sample of a dataset, normalised but not augmented.
template <Model Whole, typename Products = OwnPrecision, typename Scalar>
void infer(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const data::DatasetView& data,
           Scalar* logits) {
  using M = AfterPooling<Whole>;
  if constexpr (pools_inputs<Whole>) {
    detail::infer_panels<M, Products>(
        backend, tensors, NumberInputs<Scalar>(PooledDatasetInputs<PoolingOf<Whole>, Scalar>(data)), logits);
    return;
  } else if constexpr (Plan<M>::template is_linear<0> && !Products::by_words) {
    if (data.bytes != nullptr) {
      struct BiasTag;
      using First = typename Plan<M>::template Operation<0>;
      const data::GatherConstants<Scalar> constants(data);
      Scalar* folded = internal::thread_scratch<Scalar, BiasTag>(First::output_size);
      fold_offset<First, simd::Vector<Scalar>>(tensors.parameters, constants.offset, {0, First::output_size}, folded);
      detail::infer_panels<M, Products>(backend, tensors, ByteInputs<Scalar>{data, {constants.scale, folded}}, logits);
      return;
    }
  }
  detail::infer_panels<M, Products>(backend, tensors, NumberInputs<Scalar>(DatasetInputs<Scalar>(data)), logits);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel
