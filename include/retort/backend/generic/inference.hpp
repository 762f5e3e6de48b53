// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whole models outside of training: batches of samples run through the layers one after another.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/avg_pool2d.hpp"
#include "retort/backend/generic/chain.hpp"
#include "retort/backend/generic/gather.hpp"
#include "retort/backend/generic/generic.hpp"
#include "retort/backend/generic/linear.hpp"
#include "retort/backend/generic/normalization.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

namespace detail {

/// The arguments for `count` samples from `first` on.
template <Model M, typename Scalar>
InferArguments<Scalar> samples_of(const InferArguments<Scalar>& arguments, std::size_t first, std::size_t count) {
  return {arguments.parameters, arguments.buffers, arguments.input + first * M::input_size,
          arguments.output + first * M::output_size, count};
}

}  // namespace detail

/// output (batch, out), the logits, of input (batch, in). May be called from several threads at once.
template <typename B, Model M, typename Scalar>
void predict_batch(const Generic<B>& generic, M, const InferArguments<Scalar>& arguments) {
  const B& backend = generic.self();
  const std::size_t batch = std::min(arguments.batch, B::inference_batch);
  auto scratch = backend.template scratch<Scalar>(pass_scratch_size<M>(batch));
  for (std::size_t first = 0; first < arguments.batch; first += batch) {
    run_inference<M>(backend, detail::samples_of<M>(arguments, first, std::min(batch, arguments.batch - first)),
                     scratch.data());
  }
}

/// logits (data.size, out) of every sample of a dataset, normalised but not augmented.
template <typename B, Model M, typename Scalar>
void predict_dataset(const Generic<B>& generic, M, const Scalar* parameters, const Scalar* buffers,
                     const data::DatasetView& data, Scalar* logits) {
  const B& backend = generic.self();
  const data::GatherConstants<Scalar> constants(data);
  const std::size_t batch = std::min(data.size, B::inference_batch);
  auto inputs = backend.template scratch<Scalar>(batch * M::input_size);
  auto scratch = backend.template scratch<Scalar>(pass_scratch_size<M>(batch));
  for (std::size_t first = 0; first < data.size; first += batch) {
    const std::size_t count = std::min(batch, data.size - first);
    const detail::BatchSamples samples{nullptr, static_cast<std::uint32_t>(first)};
    detail::gather(backend, count, detail::GatherFeature<Scalar>{data, constants, samples, {}, inputs.data()});
    run_inference<M>(backend,
                     InferArguments<Scalar>{parameters, buffers, inputs.data(), logits + first * M::output_size, count},
                     scratch.data());
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
