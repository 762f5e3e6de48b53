// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The epoch loop: order, train, evaluate, stop early, write a checkpoint, tell the observers.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/split.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/training_engine.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::detail {

/// One call of fit: the loop with its state.
class Fit {
 public:
  Fit(TrainingEngine& engine, const data::Dataset& train, const data::Dataset* validation, const FitOptions& options)
      : engine_(engine), train_(train), validation_(validation), options_(options) {
    options.validate_for(train.size(), validation != nullptr);
  }

  [[gnu::cold]] History run() {
    begin();
    while (!finished()) {
      const EpochPlan epoch = plan();
      const auto start = std::chrono::steady_clock::now();
      const EpochResult result = engine_.train_epoch(
          epoch, [&](std::size_t batch, const backend::LossSum& sum) { report_batch(epoch.epoch(), batch, sum); });
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      finish_epoch(result, seconds, engine_.is_finite(), [&] { return engine_.evaluate(); });
    }
    return end();
  }

  // The same, for who trains an epoch otherwise than by the engine's train_epoch: begin(), then while not finished() an
  // epoch after plan() and finish_epoch(), then end().

  [[gnu::cold]] void begin() {
    engine_.begin(train_, validation_, options_.batch_size, options_.shift);
    if (options_.checkpoint) {
      settings_ = describe_run();  // reads all of the data: not for a training that writes nothing down
      resume();
    }
    for (Observer* observer : options_.observers) {
      observer->on_fit_begin(history_, options_.epochs);
    }
  }

  bool finished() const { return history_.size() >= options_.epochs || stopped_early(); }

  /// Of the next epoch, or one of those behind it.
  EpochPlan plan(std::size_t ahead = 0) const {
    const std::size_t epoch = history_.size() + ahead;
    return {.batch_size = options_.batch_size,
            .seed = options_.seed,
            .shuffle = options_.shuffle,
            .shift = options_.shift,
            .schedule = &options_.schedule,
            .progress = {.step = epoch * steps_per_epoch(),
                         .total_steps = options_.epochs * steps_per_epoch(),
                         .epoch = epoch,
                         .total_epochs = options_.epochs},
            .clipping = options_.clipping};
  }

  /// `finite`: whether the parameters are. `evaluate`: on the validation data, called where there is some. Throws
  /// DivergenceError.
  [[gnu::cold]] void finish_epoch(const EpochResult& result, double seconds, bool finite,
                                  const std::function<Evaluation()>& evaluate) {
    const auto samples = static_cast<double>(train_.size());
    EpochMetrics metrics{.epoch = history_.size() + 1,
                         .learning_rate = result.learning_rate,
                         .loss = result.sum.loss / samples,
                         .accuracy = static_cast<double>(result.sum.correct) / samples,
                         .errors = train_.size() - result.sum.correct,
                         .seconds = seconds,
                         .samples_per_second = samples / seconds};
    if (!std::isfinite(metrics.loss) || !finite) {
      throw DivergenceError(
          concatenate({"training has diverged: after epoch ", metrics.epoch, " the loss is ", metrics.loss,
                       " and the parameters are ", (finite ? "finite" : "not all finite"),
                       "; try a smaller learning rate or gradient clipping"}));
    }
    if (validation_ != nullptr) {
      metrics.validation = evaluate();
      if (!std::isfinite(metrics.validation->loss)) {  // finite parameters, but logits that are not
        throw DivergenceError(
            concatenate({"training has diverged: after epoch ", metrics.epoch, " the validation loss is ",
                         metrics.validation->loss, "; try a smaller learning rate or gradient clipping"}));
      }
    }
    history_.push_back(metrics);
    if (options_.early_stopping && best_epoch(history_, options_.early_stopping->minimum_gain) == history_.size()) {
      best_ = engine_.model_state();
    }
    if (options_.checkpoint) {
      save_checkpoint(options_.checkpoint->path, {settings_, history_, engine_.state(), best_});
    }
    for (Observer* observer : options_.observers) {
      observer->on_epoch_end(metrics, options_.epochs);
    }
  }

  [[gnu::cold]] History end() {
    if (!best_.empty()) {
      engine_.restore(best_);
    }
    for (Observer* observer : options_.observers) {
      observer->on_fit_end(history_);
    }
    return std::move(history_);
  }

 private:
  std::uint64_t steps_per_epoch() const { return options_.steps_per_epoch(train_.size()); }

  /// Everything that decides the result: two runs with equal settings give equal bits.
  [[gnu::cold]] Settings describe_run() const {
    Settings settings = engine_.settings();
    const auto add = [&](const char* name, const TextPart& value) { settings.emplace_back(name, value.text()); };
    add("epochs", options_.epochs);
    add("batch_size", options_.batch_size);
    add("seed", options_.seed.value);
    add("shuffle", options_.shuffle);
    add("shift", options_.shift.pixels);
    add("schedule", options_.schedule.describe());
    add("clipping", options_.clipping ? options_.clipping->describe() : "none");
    add("early_stopping", options_.early_stopping ? options_.early_stopping->describe() : "none");
    add("training data", train_.fingerprint());
    add("validation data", validation_ == nullptr ? "none" : to_text(validation_->fingerprint()));
    return settings;
  }

  [[gnu::cold]] void resume() {
    if (!options_.checkpoint->resume || !std::filesystem::exists(options_.checkpoint->path)) {
      return;
    }
    Checkpoint checkpoint = load_checkpoint(options_.checkpoint->path, settings_);
    require_arrays(checkpoint.state, engine_.state());
    require_arrays(checkpoint.best, options_.early_stopping ? engine_.model_state() : TrainingState{});
    require_history(checkpoint.history);
    engine_.restore(checkpoint.state);
    history_ = std::move(checkpoint.history);
    best_ = std::move(checkpoint.best);
  }

  /// Throws FormatError unless the checkpoint's arrays have the names and sizes of those that the engine would write.
  [[gnu::cold]] void require_arrays(const TrainingState& found, const TrainingState& expected) const {
    for (const StateArray& array : expected) {
      const auto same = [&](const StateArray& other) {
        return other.name == array.name && other.bytes.size() == array.bytes.size();
      };
      if (std::none_of(found.begin(), found.end(), same)) {
        throw FormatError(options_.checkpoint->path,
                          concatenate({"array ", array.name, ": missing or of another size, expected ",
                                       array.bytes.size(), " bytes"}));
      }
    }
    if (found.size() != expected.size()) {
      throw FormatError(options_.checkpoint->path,
                        concatenate({found.size(), " arrays of one kind, expected ", expected.size()}));
    }
  }

  /// Throws FormatError unless the checkpoint's history is of this run's first epochs.
  [[gnu::cold]] void require_history(const History& history) const {
    bool right = !history.empty() && history.size() <= options_.epochs;
    for (std::size_t i = 0; i < history.size(); ++i) {
      right = right && history[i].epoch == i + 1 && history[i].validation.has_value() == (validation_ != nullptr);
    }
    if (!right) {
      throw FormatError(options_.checkpoint->path,
                        concatenate({"metadata history: expected epochs 1, 2, ... of at most ", options_.epochs,
                                     ", each ", (validation_ == nullptr ? "not " : ""), "validated"}));
    }
  }

  bool stopped_early() const {
    return options_.early_stopping && history_.size() - best_epoch(history_, options_.early_stopping->minimum_gain) >=
                                          options_.early_stopping->patience;
  }

  void report_batch(std::size_t epoch, std::size_t batch, const backend::LossSum& sum) const {
    if (options_.observers.empty()) {
      return;
    }
    const std::size_t samples = std::min(batch * options_.batch_size, train_.size());
    const BatchProgress progress{.epoch = epoch + 1,
                                 .epochs = options_.epochs,
                                 .batch = batch,
                                 .batches = to_size(steps_per_epoch()),
                                 .mean_loss = sum.loss / static_cast<double>(samples)};
    for (Observer* observer : options_.observers) {
      observer->on_batch_end(progress);
    }
  }

  TrainingEngine& engine_;
  const data::Dataset& train_;
  const data::Dataset* validation_;
  const FitOptions& options_;
  Settings settings_;
  History history_;
  TrainingState best_;
};

/// Trains on `train` and evaluates on `validation` where it is given, or on the options' fraction of `train`.
[[gnu::cold]] inline History fit(TrainingEngine& engine, const data::Dataset& train, const data::Dataset* validation,
                                 const FitOptions& options) {
  options.validate();
  if (validation == nullptr && options.validation_fraction > 0.0) {
    const double held_out_count = std::floor(options.validation_fraction * static_cast<double>(train.size()));
    require_option(held_out_count >= 1.0, "fit", "validation_fraction", options.validation_fraction,
                   concatenate({"a share of at least one of the ", train.size(), " samples"}));
    const auto [held_out, rest] = data::random_split(train, options.validation_fraction, options.seed);
    return Fit(engine, rest, &held_out, options).run();
  }
  return Fit(engine, train, validation, options).run();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::detail
