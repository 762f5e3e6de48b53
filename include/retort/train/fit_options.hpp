// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How a training runs, whatever it trains.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/augment.hpp"
#include "retort/optim/gradient_clipping.hpp"
#include "retort/optim/schedule.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/observer.hpp"
#include "retort/train/stop_request.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

/// Throws OptionError for an observer that is null.
template <typename AnyObserver>
[[gnu::cold]] void require_observers(const std::vector<AnyObserver*>& observers, const char* owner) {
  for (std::size_t i = 0; i < observers.size(); ++i) {
    if (observers[i] == nullptr) {
      throw OptionError(concatenate({owner, ": observers[", i, "] is null, expected an observer"}));
    }
  }
}

}  // namespace detail

/// A file with everything a run needs to go on, replaced atomically: after each epoch, or less often, and always after
/// the last. Before the first epoch a test finds out whether it can be written.
struct CheckpointOptions {
  std::filesystem::path path{};
  /// Go on from `path` if it exists. The result has the same bits as without the interruption. A checkpoint of another
  /// model, other initial weights, settings, data or processor is an error that names the difference. The number of
  /// epochs may differ if the schedule does not look at it (a constant one, steps): a training that has ended then goes
  /// on.
  bool resume = false;
  /// Also go on from a checkpoint of another processor: by a program for another instruction set, from another
  /// compiler, with another library of products, on another kind of GPU. Sums round differently there, so the result
  /// has the bits of neither.
  bool any_processor = false;
  std::size_t every_epochs = 1;     ///< epochs from one checkpoint to the next, > 0
  double every_seconds = 0.0;       ///< and the least time between them, in seconds, >= 0
  internal::CheckpointFile file{};  ///< no option: leave it out

  /// Throws OptionError for an option outside its range.
  void validate() const {
    require_in(allowed::count_above_zero, "checkpoint", "every_epochs", every_epochs);
    require_in({"a finite number of at least 0", allowed::is_at_least_zero}, "checkpoint", "every_seconds",
               every_seconds);
  }
};

struct FitOptions {
  std::size_t epochs = 1;             ///< > 0
  std::size_t batch_size = 64;        ///< 1 ... 2^32 - 1; the last batch of an epoch holds what is left
  bool drop_last = false;             ///< leave out a last batch that is not full: other samples each epoch if shuffled
  Seed seed{};                        ///< of shuffling, dropout and augmentation
  bool shuffle = true;                ///< a new order each epoch
  data::Augmentation augmentation{};  ///< of the training samples
  data::Views views{};                ///< whether augmented images come again
  Schedule schedule{};                ///< multiplies the optimizer's learning rate
  std::optional<GradientClipping> clipping{};
  /// The share of the dataset that is held out of training and evaluated after each epoch, for `fit` without a
  /// validation set.
  double validation_fraction = 0.0;  ///< in [0, 1)
  bool stratified = false;           ///< whether every class gives that share (data::stratified_split)
  std::optional<EarlyStopping> early_stopping{};
  std::optional<CheckpointOptions> checkpoint{};
  std::vector<Observer*> observers{};  ///< not owned, none of them null
  /// Not owned, or null. Once it is made, `fit` ends its step and throws StoppedError. With a checkpoint the file is
  /// then that of the last finished epoch, and a training that resumes from it ends with the same bits: only the epoch
  /// under way is lost. For that, `fit` keeps a copy of the state after each epoch whose checkpoint is not
  /// due. The network then stays as it is, perhaps in the middle of an epoch.
  const StopRequest* stop = nullptr;

  /// Throws OptionError for an option outside its range.
  void validate() const {
    require_in(allowed::count_above_zero, "fit", "epochs", epochs);
    require_option(batch_size > 0 && batch_size <= UINT32_MAX, "fit", "batch_size", batch_size,
                   "a number from 1 to 4294967295");
    require_in(allowed::zero_to_below_one, "fit", "validation_fraction", validation_fraction);
    require_option(views.count <= UINT32_MAX && (views.count == 0 || augmentation.is_set()), "fit", "views.count",
                   views.count, "0, or a number below 2^32 beside an augmentation");
    validate_in<double>(augmentation);
    schedule.validate();
    if (clipping) {
      validate_in<double>(*clipping);
    }
    if (early_stopping) {
      validate_in<double>(*early_stopping);
    }
    if (checkpoint) {
      checkpoint->validate();
    }
    detail::require_observers(observers, "fit");
  }

  /// Steps in an epoch of `samples` samples, none of them held out.
  std::uint64_t steps_per_epoch(std::size_t samples) const {
    return samples / batch_size + (drop_last || samples % batch_size == 0 ? 0 : 1);
  }

  /// Also throws OptionError for more steps than can be counted with `samples` samples to train on, for early stopping
  /// if none are held out, and for `drop_last` with fewer samples than a batch.
  void validate_for(std::size_t samples, bool validated) const {
    validate();
    if (early_stopping && !validated) {
      throw OptionError(
          "fit: early_stopping needs held-out samples, expected a validation set or a validation_fraction");
    }
    if (drop_last && samples < batch_size) {
      throw OptionError(concatenate({"fit: drop_last with ", samples, " samples and a batch_size of ", batch_size,
                                     " leaves no batch, expected at least one that is full"}));
    }
    if (steps_per_epoch(samples) > std::uint64_t{UINT32_MAX} / epochs) {
      throw OptionError(concatenate({"fit: epochs is ", epochs, ", expected at most 2^32 - 1 steps in all"}));
    }
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
