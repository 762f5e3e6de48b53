// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How a training runs, whatever is trained.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/option.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A file that holds everything a run needs to go on: written after each epoch, replaced atomically.
struct CheckpointOptions {
  std::filesystem::path path{};
  /// Go on from `path` where it exists. The result is the same bits as without the interruption. A checkpoint of
  /// another model, of other settings or other data is an error that names the difference.
  bool resume = false;
};

struct FitOptions {
  std::size_t epochs = 1;       ///< > 0
  std::size_t batch_size = 64;  ///< > 0; the last batch of an epoch holds what is left
  Seed seed{};                  ///< of shuffling, dropout and augmentation
  bool shuffle = true;          ///< a new order each epoch
  data::RandomShift shift{};    ///< augmentation of the training images
  Schedule schedule{};          ///< multiplies the optimizer's learning rate
  std::optional<GradientClipping> clipping{};
  /// Share of the dataset that is held out of training and evaluated after each epoch, for `fit` without a validation
  /// set.
  double validation_fraction = 0.0;  ///< in [0, 1)
  std::optional<EarlyStopping> early_stopping{};
  std::optional<CheckpointOptions> checkpoint{};
  std::vector<Observer*> observers{};  ///< not owned

  /// Throws OptionError for an option outside its range.
  void validate() const {
    require_option(epochs > 0, "fit", "epochs", epochs, "a number above 0");
    require_option(batch_size > 0, "fit", "batch_size", batch_size, "a number above 0");
    require_option(validation_fraction >= 0.0 && validation_fraction < 1.0, "fit", "validation_fraction",
                   validation_fraction, "a number in [0, 1)");
    schedule.validate();
    if (clipping) {
      clipping->validate();
    }
    if (early_stopping) {
      early_stopping->validate();
    }
  }

  /// Steps in an epoch of `samples` samples, none of them held out.
  std::uint64_t steps_per_epoch(std::size_t samples) const { return (samples + batch_size - 1) / batch_size; }

  /// Throws OptionError also for more steps than can be counted with `samples` samples to train on, and for early
  /// stopping where none are held out.
  void validate_for(std::size_t samples, bool validated) const {
    validate();
    if (early_stopping && !validated) {
      throw OptionError(
          "fit: early_stopping needs held-out samples, expected a validation set or a validation_fraction");
    }
    if (steps_per_epoch(samples) > std::uint64_t{UINT32_MAX} / epochs) {
      throw OptionError(concatenate({"fit: epochs is ", epochs, ", expected at most 2^32 - 1 steps in all"}));
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
