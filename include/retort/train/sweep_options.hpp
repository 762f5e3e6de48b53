// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How all students of a sweep are trained alike.

#include <cstddef>
#include <optional>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/nn/initialization.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/sweep_observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// As FitOptions, but for what is each student's own (its seed) and for what one training needs alone.
struct SweepOptions {
  std::size_t epochs = 1;       ///< > 0
  std::size_t batch_size = 64;  ///< > 0; the last batch of an epoch holds what is left
  bool shuffle = true;          ///< a new order each epoch
  data::RandomShift shift{};    ///< augmentation of the training images; the teachers then answer every batch
  Schedule schedule{};          ///< multiplies each optimizer's learning rate
  std::optional<GradientClipping> clipping{};
  std::optional<EarlyStopping> early_stopping{};
  Initialization initialization = Initialization::pytorch;
  std::vector<SweepObserver*> observers{};  ///< not owned

  /// Those of a student alone.
  FitOptions fit_options(Seed seed) const {
    return {.epochs = epochs,
            .batch_size = batch_size,
            .seed = seed,
            .shuffle = shuffle,
            .shift = shift,
            .schedule = schedule,
            .clipping = clipping,
            .early_stopping = early_stopping};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
