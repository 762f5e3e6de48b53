// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How all students of a sweep are trained.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/nn/initialization.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/stop_request.hpp"
#include "retort/train/sweep_observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A folder with everything a sweep needs to go on: a checkpoint of each student, INDEX.safetensors, written when its
/// training ends and, until then, at most every ten seconds. It is made if it is missing.
struct SweepCheckpointOptions {
  std::filesystem::path folder{};
  /// Students whose training had ended are read instead of trained, and those under way go on from their checkpoints.
  /// The result has the same bits as without the interruption. A checkpoint of another setting, of other options or
  /// other data is an error that names the difference. A student that diverged is trained again from its last
  /// checkpoint, and diverges again.
  bool resume = false;
  /// See CheckpointOptions.
  bool any_processor = false;

  std::filesystem::path file(std::size_t student) const { return folder / (to_text(student) + ".safetensors"); }
};

/// See FitOptions. Leaves out what each student has itself (its seed) and what only a single training needs.
///
/// These are no axes of a sweep: students that train at once take the same steps on the same batches' sizes, and see
/// the same views, which each teacher answered once. For several numbers of epochs, batch sizes or schedules make a
/// sweep of each.
struct SweepOptions {
  std::size_t epochs = 1;             ///< > 0
  std::size_t batch_size = 64;        ///< 1 ... 2^32 - 1; the last batch of an epoch holds what is left
  bool drop_last = false;             ///< leave out a last batch that is not full
  bool shuffle = true;                ///< a new order each epoch
  data::Augmentation augmentation{};  ///< of the training samples
  data::Views views{};                ///< whether they come again; if not, the teachers answer every batch
  Schedule schedule{};                ///< multiplies each optimizer's learning rate
  std::optional<GradientClipping> clipping{};
  std::optional<EarlyStopping> early_stopping{};
  Initialization initialization = Initialization::pytorch;
  std::vector<SweepObserver*> observers{};  ///< not owned, none of them null
  std::optional<SweepCheckpointOptions> checkpoints{};
  /// Not owned, or null. Once it is made, `fit` ends each student's step and throws StoppedError, unless all students
  /// have ended. With checkpoints a sweep that resumes ends with the same bits.
  const StopRequest* stop = nullptr;

  /// Throws OptionError for an option outside its range, with `samples` to train on.
  void validate_for(std::size_t samples, bool validated) const {
    fit_options({}).validate_for(samples, validated);
    detail::require_observers(observers, "sweep");
  }

  /// The options of one student, without a checkpoint.
  FitOptions fit_options(Seed seed) const {
    return {.epochs = epochs,
            .batch_size = batch_size,
            .drop_last = drop_last,
            .seed = seed,
            .shuffle = shuffle,
            .augmentation = augmentation,
            .views = views,
            .schedule = schedule,
            .clipping = clipping,
            .early_stopping = early_stopping,
            .stop = stop};
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
