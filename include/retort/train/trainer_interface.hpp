// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The interface that the epoch loop drives: it trains an epoch, evaluates, and hands out its state. The loop in
/// fit.hpp knows nothing of models, losses or backends, and is compiled once.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "retort/backend/arguments.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/loss/metric.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/train/metrics.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// One epoch's work. Batch b holds the samples order(b * batch_size) ..., the last one the rest, unless it is dropped.
struct Epoch {
  std::size_t batch_size = 0;
  bool drop_last = false;
  Seed seed{};
  bool shuffle = true;
  data::Augmentation augmentation{};
  data::Views views{};
  const Schedule* schedule = nullptr;
  TrainingProgress progress{};  ///< before the first step
  std::optional<GradientClipping> clipping{};

  std::uint32_t index() const { return static_cast<std::uint32_t>(progress.epoch); }  ///< from 0
  /// Whether a teacher's answers hold for other epochs too.
  bool repeats_views() const { return !augmentation.is_set() || views.count > 0; }
  /// How many answers a teacher gives to each sample, if they are kept.
  std::size_t view_count() const { return augmentation.is_set() ? views.count : 1; }
  std::size_t view_index() const { return views.count > 0 ? index() % views.count : index(); }
  data::View view(std::size_t view_index) const {
    return {augmentation, views.count > 0 ? views.seed : seed, static_cast<std::uint32_t>(view_index)};
  }
  /// How many of `samples` samples are trained on: the first of the order.
  std::size_t trained(std::size_t samples) const { return drop_last ? samples - samples % batch_size : samples; }
  /// How many batches `samples` samples make, the last one perhaps not full.
  std::size_t batches(std::size_t samples) const { return samples / batch_size + (samples % batch_size == 0 ? 0 : 1); }
  /// The order of `samples` samples if `shuffle` is set; else they keep the dataset's order.
  RandomPermutation order(std::size_t samples) const {
    return {static_cast<std::uint32_t>(samples), {seed, Stream::shuffle, index()}};
  }
};

/// The result of an epoch.
struct EpochResult {
  backend::LossSum sum{};
  double learning_rate = 0.0;  ///< of the last step
};

/// Called with the batches done and the sums so far: after each batch, or after several if reading the sums would make
/// a device wait; always after the last.
using BatchCallback = std::function<void(std::size_t, const backend::LossSum&)>;

/// One array of a training state, by name, as bytes of the training's scalar type.
struct StateArray {
  std::string name;
  std::vector<std::byte> bytes;
};

using StateArrays = std::vector<StateArray>;

/// Names and values that must be equal for a checkpoint to be resumed.
using Settings = std::vector<std::pair<std::string, std::string>>;

class TrainerInterface {
 public:
  TrainerInterface() = default;
  TrainerInterface(const TrainerInterface&) = delete;
  TrainerInterface& operator=(const TrainerInterface&) = delete;
  virtual ~TrainerInterface() = default;

  /// Takes everything into memory before the first step, and forgets the moments of an earlier training; the model
  /// stays as it is. `epoch` is the first. Both datasets must outlive it; `validation` may be null. Throws
  /// ShapeError if the data does not fit the model, OptionError if the batch size does not.
  virtual void begin(const data::Dataset& train, const data::Dataset* validation, const Epoch& epoch) = 0;
  virtual EpochResult train_epoch(const Epoch& epoch, const BatchCallback& after_batch) = 0;
  /// What evaluate() measures.
  virtual Metric metric() const { return Metric::accuracy; }
  /// Evaluates what model_state() returns on the validation data. Precondition: there is some.
  virtual Evaluation evaluate() = 0;

  /// Whether every number of the state is finite. Called after each epoch.
  virtual bool is_finite() const = 0;
  /// The state's first number that no file may hold (nn/tensor_values.hpp): "1.running_var: element 3 is nan, expected
  /// a finite number", "moment.1 of 0.weight: element 0 is inf, ..."; empty if there is none.
  virtual std::string describe_fault() const = 0;

  /// Parameters, buffers and moments, and a regressor's. restore(state()) changes none of them.
  virtual StateArrays state() const = 0;
  /// Throws ShapeError if the arrays are not those of this training.
  virtual void restore(const StateArrays& state) = 0;
  /// The arrays of the state that are the model itself, for keeping the best epoch: as it is to be used, with an
  /// optimizer's average of the parameters in their place.
  virtual StateArrays model_state() const = 0;
  /// The training has ended: restore(model_state()).
  virtual void hand_out() = 0;

  /// Which engine takes the steps, and why faster ones do not; see internal::describe_engine.
  virtual std::string describe() const = 0;

  /// Model, loss, optimizer, "processor" and everything else that decides the result.
  virtual Settings settings() const = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
