// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whole models outside of training, on panels: a panel runs through all layers while it is in the cache. Panels that
/// would leave threads idle are split by rows (row_inference.hpp); a sample alone has products of its own
/// (sample_inference.hpp).

#include <cstddef>
#include <utility>

#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/panel/forward.hpp"
#include "retort/backend/eigen/panel/inference_inputs.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/panel/pooled_inputs.hpp"
#include "retort/backend/eigen/panel/row_inference.hpp"
#include "retort/backend/eigen/panel/sample_inference.hpp"
#include "retort/backend/plan.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/simd/vector.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend::panel {

namespace detail {

/// The logits (size, out) of all samples. Panels that the threads can share evenly stay whole; the rows of the others,
/// which are fewer than threads, are split where that is worth it.
template <Model M, typename Products, typename Scalar, typename Inputs>
void infer_panels(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Inputs& inputs, Scalar* logits) {
  const std::size_t panels = count_for<Scalar>(inputs.size());
  const std::size_t split = has_wide_layer<M> ? panels % backend.threads() : 0;
  backend.pool().for_each_piece(
      panels - split, [&](std::size_t index) { infer_rows<M, Products>({}, tensors, inputs, index, 1, logits); });
  if constexpr (has_wide_layer<M>) {
    if (split > 0) {
      infer_rows<M, Products>({&backend.pool()}, tensors, inputs, panels - split, split, logits);
    }
  }
}

}  // namespace detail

/// logits (batch, out) of inputs (batch, in), on the backend's threads. A few samples, alone or behind the last panel,
/// have products of their own precision always.
template <Model Whole, typename Products = OwnPrecision, typename Scalar>
void infer(const Eigen& backend, const InferenceTensors<Scalar>& tensors, const Scalar* inputs, Scalar* logits,
           std::size_t batch) {
  using M = AfterPooling<Whole>;
  using V = simd::Vector<Scalar>;
  const std::size_t rest = batch % samples_at_once<V>;
  const std::size_t in_panels = rest <= few_samples<V> ? batch - rest : batch;
  const Scalar* rest_inputs = inputs + in_panels * Whole::input_size;
  Scalar* rest_logits = logits + in_panels * M::output_size;
  if constexpr (pools_inputs<Whole>) {
    using Pooling = PoolingOf<Whole>;
    detail::infer_panels<M, Products>(
        backend, tensors,
        NumberInputs<Scalar>(PooledBatchInputs<Pooling, Scalar>{{inputs, in_panels, Whole::input_size}}), logits);
    if (in_panels < batch) {
      struct RestTag;
      Scalar* pooled = internal::thread_scratch<Scalar, RestTag>(rest * M::input_size);
      for (std::size_t sample = 0; sample < rest; ++sample) {
        detail::pool_numbers<Pooling>(rest_inputs + sample * Whole::input_size, pooled + sample * M::input_size);
      }
      infer_samples<M>(backend, tensors, std::as_const(pooled), rest_logits, rest);
    }
  } else {
    if (in_panels > 0) {
      detail::infer_panels<M, Products>(
          backend, tensors, NumberInputs<Scalar>(BatchInputs<Scalar>{{inputs, in_panels, M::input_size}}), logits);
    }
    if (in_panels < batch) {
      infer_samples<M>(backend, tensors, rest_inputs, rest_logits, rest);
    }
  }
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
