// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Observers: they are told how training goes.

#include <cstddef>

#include "retort/core/instruction_set.hpp"
#include "retort/train/metrics.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The progress of an epoch.
struct BatchProgress {
  std::size_t epoch = 0;  ///< from 1
  std::size_t epochs = 0;
  std::size_t batch = 0;  ///< batches done in this epoch
  std::size_t batches = 0;
  double mean_loss = 0.0;  ///< over the epoch's samples so far
};

/// Called by `fit`, on its thread, in this order: on_fit_begin, then for every epoch on_batch_end ... and on_epoch_end,
/// then on_fit_end. on_batch_end comes after each batch if the backend computes in the host's memory; on a device only
/// after several, since it would wait for each of them, and always after an epoch's last. An observer's exception ends
/// the training; the epoch's checkpoint is already written then, if one was due.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = default;
  Observer& operator=(const Observer&) = default;
  virtual ~Observer() = default;

  /// `restored` holds the epochs that a resumed run had already finished; it is empty otherwise.
  virtual void on_fit_begin(const History& /*restored*/, std::size_t /*epochs*/) {}
  virtual void on_batch_end(const BatchProgress& /*progress*/) {}
  virtual void on_epoch_end(const EpochMetrics& /*metrics*/, std::size_t /*epochs*/) {}
  virtual void on_fit_end(const History& /*history*/) {}
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
