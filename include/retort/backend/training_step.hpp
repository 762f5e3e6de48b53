// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A whole training step as one operation of a backend. A backend that has none gets one made of its single operations
/// (generic/engine.hpp).

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "retort/backend/arguments.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/gradient_clipping.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::backend {

/// The batch of a step. All pointers are into the backend's memory.
struct TrainingBatch {
  data::DatasetView data;
  const std::uint32_t* samples;  // (size)
  std::size_t size;
  std::size_t following;            ///< samples behind these in memory, of the next batch: they may be fetched ahead
  data::Augmentation augmentation;  ///< its seed is that of the dropout masks too
  std::uint32_t step;               ///< of the whole training, from 0
};

/// Where a step reads and writes, beside its own memory.
template <typename Scalar, std::size_t Moments>
struct TrainingTarget {
  Scalar* parameters;
  Scalar* buffers;
  std::array<Scalar*, Moments> moments;  // each laid out as the parameters
  TeacherTable<Scalar> teacher;
  Scalar* losses;         // (size)
  std::uint8_t* correct;  // (size)
  std::optional<GradientClipping> clipping;
};

/// What a run of steps came to, and an evaluation behind it.
struct RunReport {
  LossSum sum{};
  double validation_loss = 0.0;  ///< cross-entropy, summed over the validation samples
  std::size_t validation_errors = 0;
  bool finite = true;  ///< whether every parameter is a finite number
};

/// To be specialised by a backend that takes steps of its own for some models: `type` is a class with
///
/// - a constructor (backend, capacity), which allocates for batches of up to `capacity` samples,
/// - `step(backend, batch, target, loss, rule)`, which gathers the batch, and updates parameters and buffers, moments,
///   losses and answers.
///
/// It may also take many steps at one call, which it says by `static constexpr bool takes_runs = true`:
/// `run(backend, batches, batch_size, target, loss, rules)`, where `batches` are the samples of several batches, one
/// behind another, `batches.step` the number of the first, and `rules`, in the backend's memory, one for each batch.
/// Then it also takes the runs of several models at one call: `job(...)` makes a value of the arguments of a run, and
/// `run_jobs(backend, jobs, count, data, like)`, a static function, carries out those in the backend's memory, all on
/// data that lie as `data` does, and with the batch size and clipping of the job `like`, which is the host's. A job
/// whose `report` is not null writes a RunReport there, and evaluates the model on `evaluate(data)`.
template <typename Backend, Model M, typename Scalar>
struct OwnTrainingSteps {
  using type = void;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::backend
