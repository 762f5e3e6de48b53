// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The arguments of an engine's training steps (engine.hpp).

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "retort/backend/arguments.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/optim/gradient_clipping.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// The batch of a step. All pointers are into the backend's memory.
struct TrainingBatch {
  data::DatasetView data;
  const std::uint32_t* samples;  // (size)
  std::size_t size;
  std::size_t following;  ///< samples of the next batch, after these in memory: they may be fetched ahead
  data::View view;
  Seed seed;            ///< of the dropout masks
  std::uint32_t epoch;  ///< from 0
  std::uint32_t step;   ///< of the whole training, from 0
};

/// What a step reads and writes, besides its own memory.
template <typename Scalar, std::size_t Moments>
struct TrainingState {
  Scalar* parameters;
  Scalar* buffers;
  std::array<Scalar*, Moments> moments;  // each laid out as the parameters
  TeacherTable<Scalar> teacher;
  Scalar* losses;         // (size)
  std::uint8_t* correct;  // (size)
  std::optional<GradientClipping> clipping;
  Scalar* regressor_parameters = nullptr;               // for a loss with a term on features
  std::array<Scalar*, Moments> regressor_moments = {};  // likewise
};

/// The results of a run of steps and of the evaluation after it. It has no padding: a device writes it field by field,
/// and the host copies the whole.
struct RunReport {
  LossSum sum{};
  double validation_loss = 0.0;  ///< cross-entropy, summed over the validation samples with labels
  std::size_t validation_errors = 0;
  std::size_t not_finite = 0;  ///< parameters that are not finite numbers
};
static_assert(sizeof(RunReport) == sizeof(LossSum) + sizeof(double) + 2 * sizeof(std::size_t));

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
