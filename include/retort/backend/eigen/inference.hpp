// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whole models outside of training on the Eigen backend: in panels where the model's layers allow it. Else threads
/// share batches of samples, and each batch runs through all layers while its activations are in the cache.

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "retort/backend/arguments.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/linear.hpp"
#include "retort/backend/eigen/panel/inference.hpp"
#include "retort/backend/eigen/panel/panel.hpp"
#include "retort/backend/eigen/simd_chain.hpp"
#include "retort/backend/generic/backend.hpp"
#include "retort/backend/generic/run_model.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/thread_scratch.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/gather.hpp"
#include "retort/nn/sequential.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// output (batch, out), the logits, of input (batch, in).
template <Model M, typename Scalar>
void predict_batch(const Eigen& backend, M, const InferArguments<Scalar>& arguments) {
  if constexpr (panel::PanelModel<panel::AfterPooling<M>>) {
    panel::infer<M>(backend, panel::InferenceTensors<Scalar>{arguments.parameters, arguments.buffers}, arguments.input,
                    arguments.output, arguments.batch);
  } else {
    struct ScratchTag;
    detail::for_each_piece(backend, arguments.batch, Eigen::inference_batch, [&](std::size_t first, std::size_t count) {
      Scalar* scratch = internal::thread_scratch<Scalar, ScratchTag>(pass_scratch_size<M>(count));
      run_inference<M>(backend, detail::samples_of<M>(arguments, first, count), scratch);
    });
  }
}

/// The same for Network::predict: a few samples, alone or behind a batch's last panel, do not cost what a panel does.
/// Not for backends derived from Eigen, whose own predict_batch it would pass by.
template <std::same_as<Eigen> Backend, Model M, typename Scalar>
void predict_samples(const Backend& backend, M model, const InferArguments<Scalar>& arguments) {
  if constexpr (panel::PanelModel<panel::AfterPooling<M>>) {
    panel::infer_with_few<M>(backend, panel::InferenceTensors<Scalar>{arguments.parameters, arguments.buffers},
                             arguments.input, arguments.output, arguments.batch);
  } else {
    predict_batch(backend, model, arguments);
  }
}

/// logits (data.size, out) of every sample of a dataset, normalised but not augmented.
template <Model M, typename Scalar>
void predict_dataset(const Eigen& backend, M, const Scalar* parameters, [[maybe_unused]] const Scalar* buffers,
                     const data::DatasetView& data, Scalar* logits) {
  if constexpr (panel::PanelModel<panel::AfterPooling<M>>) {
    panel::infer<M>(backend, panel::InferenceTensors<Scalar>{parameters, buffers}, data, logits);
  } else {
    struct ScratchTag;
    const data::GatherConstants<Scalar> constants(data);
    detail::for_each_piece(backend, data.size, Eigen::inference_batch, [&](std::size_t first, std::size_t count) {
      const std::size_t inputs_size = internal::aligned_extent(count * M::input_size);
      Scalar* inputs = internal::thread_scratch<Scalar, ScratchTag>(inputs_size + pass_scratch_size<M>(count));
      for (std::size_t sample = 0; sample < count; ++sample) {
        data::gather_row(data, constants, static_cast<std::uint32_t>(first + sample), inputs + sample * M::input_size);
      }
      run_inference<M>(backend,
                       InferArguments<Scalar>{parameters, buffers, inputs, logits + first * M::output_size, count},
                       inputs + inputs_size);
    });
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
