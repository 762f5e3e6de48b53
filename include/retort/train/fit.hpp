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
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/split.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/checkpoint.hpp"
#include "retort/train/early_stopping.hpp"
#include "retort/train/fit_options.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/trainer_interface.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::detail {

/// One call of fit: the loop with its state.
class Fit {
 public:
  Fit(internal::TrainerInterface& epoch_trainer, const data::Dataset& train, const data::Dataset* validation,
      const FitOptions& options)
      : epoch_trainer_(epoch_trainer), train_(train), validation_(validation), options_(options) {
    options.validate_for(train.size(), validation != nullptr);
  }

  [[gnu::cold]] History run() {
    begin();
    while (!finished()) {
      const internal::Epoch epoch = next_epoch();
      const auto start = std::chrono::steady_clock::now();
      const internal::EpochResult result = epoch_trainer_.train_epoch(
          epoch, [&](std::size_t batch, const backend::LossSum& sum) { report_batch(epoch.index(), batch, sum); });
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      finish_epoch(result, seconds, epoch_trainer_.is_finite(), [&] { return epoch_trainer_.evaluate(); });
      stop_if_asked();
    }
    return end();
  }

  // The same, for callers that do not train an epoch by train_epoch(): begin(); until finished(): train next_epoch(),
  // finish_epoch(); then end().

  [[gnu::cold]] void begin() {
    stop_if_asked();
    require_gain_for(epoch_trainer_.metric(), options_.early_stopping);
    if (options_.checkpoint) {
      options_.checkpoint->file.require_writable(options_.checkpoint->path);  // not only after the first epoch
    }
    epoch_trainer_.begin(train_, validation_, next_epoch());
    if (options_.checkpoint) {
      settings_ = describe_run();  // reads all of the data: not for a training that writes no checkpoint
      resume();
    }
    for (Observer* observer : options_.observers) {
      observer->on_fit_begin(history_, options_.epochs);
    }
  }

  /// Throws StoppedError if the training is asked to stop before its last epoch. A checkpoint then has the finished
  /// epochs.
  void stop_if_asked() {
    if (is_asked_to_stop() && !finished()) {
      save_finished_epochs();
      throw StoppedError(
          concatenate({"training stopped as asked, after epoch ", history_.size(), " of ", options_.epochs}));
    }
  }

  bool is_asked_to_stop() const { return options_.stop != nullptr && options_.stop->is_made(); }

  /// Writes the checkpoint of the last finished epoch, if there is to be one and it is not written yet.
  [[gnu::cold]] void save_finished_epochs() {
    if (options_.checkpoint && written_ < history_.size()) {
      write_checkpoint(unwritten_);
    }
  }

  bool finished() const { return history_.size() >= options_.epochs || stopped_early(); }

  /// The next epoch, or the one `ahead` epochs after it.
  internal::Epoch next_epoch(std::size_t ahead = 0) const {
    const std::size_t index = history_.size() + ahead;
    return {.batch_size = std::min(options_.batch_size, train_.size()),
            .drop_last = options_.drop_last,
            .seed = options_.seed,
            .shuffle = options_.shuffle,
            .augmentation = options_.augmentation,
            .views = options_.views,
            .schedule = &options_.schedule,
            .progress = {.step = index * steps_per_epoch(),
                         .total_steps = options_.epochs * steps_per_epoch(),
                         .epoch = index,
                         .total_epochs = options_.epochs},
            .clipping = options_.clipping};
  }

  /// `finite`: whether the state is, or at least the parameters; a state to be kept is checked completely. `evaluate`:
  /// on the validation data, called if there is some. Throws DivergenceError.
  [[gnu::cold]] void finish_epoch(const internal::EpochResult& result, double seconds, bool finite,
                                  const std::function<Evaluation()>& evaluate) {
    const auto samples = static_cast<double>(samples_per_epoch());
    EpochMetrics metrics{.epoch = history_.size() + 1,
                         .learning_rate = result.learning_rate,
                         .loss = result.sum.loss / samples,
                         .seconds = seconds,
                         .samples_per_second = samples / std::max(seconds, 1e-9),  // no infinity in a checkpoint
                         .metric = epoch_trainer_.metric()};
    if (const std::size_t judged = judged_in(next_epoch()); judged > 0) {
      metrics.accuracy = static_cast<double>(result.sum.correct) / static_cast<double>(judged);
      metrics.errors = judged - result.sum.correct;
    }
    if (!is_finite(metrics.loss) || !finite) {
      fail(metrics, "the loss", metrics.loss);
    }
    if (validation_ != nullptr) {
      metrics.validation = evaluate();
      if (!is_finite(metrics.validation->loss)) {  // finite parameters, but logits that are not
        fail(metrics, "the validation loss", metrics.validation->loss);
      }
    }
    history_.push_back(metrics);
    const bool is_best =
        options_.early_stopping && best_epoch(history_, options_.early_stopping->minimum_gain) == history_.size();
    const bool is_written = options_.checkpoint && checkpoint_is_due();
    const bool may_be_written = options_.checkpoint && !is_written && options_.stop != nullptr;
    // A state to be kept is checked completely: its numbers may be finite, and too large for a file.
    if ((finished() || is_best || is_written || may_be_written) && !epoch_trainer_.describe_fault().empty()) {
      fail(metrics, "the loss", metrics.loss);
    }
    if (is_best) {
      best_ = epoch_trainer_.model_state();
    }
    if (is_written) {
      write_checkpoint(epoch_trainer_.state());
    } else if (may_be_written) {
      unwritten_ = epoch_trainer_.state();
    }
    for (Observer* observer : options_.observers) {
      observer->on_epoch_end(metrics, options_.epochs);
    }
  }

  [[gnu::cold]] History end() {
    if (best_.empty()) {
      epoch_trainer_.hand_out();
    } else {
      epoch_trainer_.restore(best_);
    }
    for (Observer* observer : options_.observers) {
      observer->on_fit_end(history_);
    }
    return std::move(history_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t samples_per_epoch() const { return next_epoch().trained(train_.size()); }

  /// How many of the samples that an epoch trains on are answered right or wrong: those that have a label, all of those
  /// with yes/no targets.
  std::size_t judged_in(const internal::Epoch& epoch) const {
    if (train_.has_targets()) {
      return epoch_trainer_.metric() == Metric::exact_match ? epoch.trained(train_.size()) : 0;
    }
    std::size_t count = train_.labelled_count();
    const RandomPermutation order = epoch.order(train_.size());
    for (std::size_t i = epoch.trained(train_.size()); i < train_.size(); ++i) {  // those that are dropped
      const std::size_t sample = epoch.shuffle ? order(static_cast<std::uint32_t>(i)) : i;
      count -= train_.labels()[sample] != data::unlabelled ? 1u : 0u;
    }
    return count;
  }

  /// Reports a divergence in one line: `what` has become `value`, and the first number that no file may hold.
  [[noreturn, gnu::cold]] void fail(const EpochMetrics& metrics, std::string_view what, double value) const {
    const std::string fault = epoch_trainer_.describe_fault();
    throw DivergenceError(concatenate({"training has diverged: after epoch ", metrics.epoch, " ", what, " is ", value,
                                       fault.empty() ? "" : " (", fault, fault.empty() ? "" : ")",
                                       "; try a smaller learning rate, gradient clipping or smaller inputs"}));
  }

  bool checkpoint_is_due() const {
    const CheckpointOptions& checkpoint = *options_.checkpoint;
    const std::chrono::duration<double> since = Clock::now() - written_at_;
    return finished() || is_asked_to_stop() ||
           (history_.size() - written_ >= checkpoint.every_epochs && since.count() >= checkpoint.every_seconds);
  }

  [[gnu::cold]] void write_checkpoint(internal::StateArrays state) {
    options_.checkpoint->file.save(options_.checkpoint->path,
                                   {settings_, options_.epochs, history_, std::move(state), best_});
    written_ = history_.size();
    written_at_ = Clock::now();
  }

  std::uint64_t steps_per_epoch() const { return options_.steps_per_epoch(train_.size()); }

  /// Everything that decides the result: two runs with equal settings give equal bits. The number of epochs is
  /// separate.
  [[gnu::cold]] internal::Settings describe_run() const {
    internal::Settings settings = epoch_trainer_.settings();
    const auto add = [&](const char* name, const TextPart& value) { settings.emplace_back(name, value.text()); };
    add("batch_size", options_.batch_size);
    add("drop_last", options_.drop_last);
    add("seed", options_.seed.value);
    add("shuffle", options_.shuffle);
    add("augmentation", options_.augmentation.is_set() ? describe_settings(options_.augmentation) : "none");
    add("views", options_.views.count);
    add("views' seed", options_.views.seed.value);
    add("schedule", options_.schedule.describe());
    add("clipping", options_.clipping ? describe_settings(*options_.clipping) : "none");
    add("early_stopping", options_.early_stopping ? describe_settings(*options_.early_stopping) : "none");
    add("training data", train_.fingerprint());
    add("validation data", validation_ == nullptr ? "none" : to_text(validation_->fingerprint()));
    Fingerprint weights;
    for (const internal::StateArray& array : epoch_trainer_.model_state()) {
      weights.add(std::span<const std::byte>(array.bytes));
    }
    add("initial weights", weights.value());  // last: another seed is named first
    return settings;
  }

  /// The finished epochs are this run's first ones only if the schedule gave them the same learning rates.
  [[gnu::cold]] void require_epochs(const internal::Checkpoint& checkpoint) const {
    const auto refuse = [&](std::initializer_list<TextPart> reason) {
      throw SettingError(concatenate({path_text(options_.checkpoint->path), ": made with epochs = ", checkpoint.epochs,
                                      ", cannot be resumed with ", options_.epochs, concatenate(reason)}),
                         "epochs");
    };
    if (checkpoint.epochs != options_.epochs && !options_.schedule.any_length()) {
      refuse({" under ", options_.schedule.describe(),
              ", whose learning rates depend on the epochs in all (those of a constant or a step schedule do not)"});
    }
    if (checkpoint.history.size() > options_.epochs) {
      refuse({": ", checkpoint.history.size(), " are done"});
    }
  }

  [[gnu::cold]] void resume() {
    if (!options_.checkpoint->resume || !std::filesystem::exists(options_.checkpoint->path)) {
      return;
    }
    internal::Settings expected = settings_;
    if (options_.checkpoint->any_processor) {
      std::erase_if(expected, [](const auto& setting) { return setting.first == "processor"; });
    }
    internal::Checkpoint checkpoint = options_.checkpoint->file.load(options_.checkpoint->path, expected);
    require_arrays(checkpoint.state, epoch_trainer_.state());
    require_arrays(checkpoint.best, options_.early_stopping ? epoch_trainer_.model_state() : internal::StateArrays{});
    require_history(checkpoint);
    require_epochs(checkpoint);
    epoch_trainer_.restore(checkpoint.state);
    history_ = std::move(checkpoint.history);
    for (EpochMetrics& metrics : history_) {
      metrics.metric = epoch_trainer_.metric();
      if (metrics.validation) {
        metrics.validation->metric = epoch_trainer_.metric();
      }
    }
    best_ = std::move(checkpoint.best);
    written_ = history_.size();
  }

  /// Throws FormatError unless the checkpoint's arrays have the names and sizes of those that this training writes.
  [[gnu::cold]] void require_arrays(const internal::StateArrays& found, const internal::StateArrays& expected) const {
    for (const internal::StateArray& array : expected) {
      const auto same = [&](const internal::StateArray& other) {
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

  /// Throws FormatError unless the checkpoint's history holds the first epochs of its run.
  [[gnu::cold]] void require_history(const internal::Checkpoint& checkpoint) const {
    const History& history = checkpoint.history;
    bool right = !history.empty() && history.size() <= checkpoint.epochs;
    for (std::size_t i = 0; i < history.size(); ++i) {
      right = right && history[i].epoch == i + 1 && history[i].validation.has_value() == (validation_ != nullptr) &&
              history[i].accuracy.has_value() == history[i].errors.has_value() &&
              (history[i].accuracy || train_.labelled_count() < train_.size()) &&
              (!history[i].validation ||
               (history[i].validation->metric == Metric::rmse) == (epoch_trainer_.metric() == Metric::rmse));
    }
    if (!right) {
      throw FormatError(options_.checkpoint->path,
                        concatenate({"tensor history: expected epochs 1, 2, ... of at most ", checkpoint.epochs,
                                     ", each ", (validation_ == nullptr ? "not " : ""), "validated"}));
    }
  }

  bool stopped_early() const {
    return options_.early_stopping && history_.size() - best_epoch(history_, options_.early_stopping->minimum_gain) >=
                                          options_.early_stopping->patience;
  }

  void report_batch(std::size_t epoch, std::size_t batch, const backend::LossSum& sum) {
    const std::size_t samples = std::min(batch * options_.batch_size, samples_per_epoch());
    const BatchProgress progress{.epoch = epoch + 1,
                                 .epochs = options_.epochs,
                                 .batch = batch,
                                 .batches = to_size(steps_per_epoch()),
                                 .mean_loss = sum.loss / static_cast<double>(samples)};
    for (Observer* observer : options_.observers) {
      observer->on_batch_end(progress);
    }
    stop_if_asked();
  }

  internal::TrainerInterface& epoch_trainer_;
  const data::Dataset& train_;
  const data::Dataset* validation_;
  const FitOptions& options_;
  internal::Settings settings_;
  History history_;
  internal::StateArrays best_;
  internal::StateArrays unwritten_;  // after the last epoch, where a stop may ask for it and no checkpoint has it
  std::size_t written_ = 0;          // epochs in the checkpoint
  Clock::time_point written_at_ = Clock::now();
};

/// Trains on `train` and evaluates on `validation` if it is given, or on the options' fraction of `train`.
[[gnu::cold]] inline History fit(internal::TrainerInterface& epoch_trainer, const data::Dataset& train,
                                 const data::Dataset* validation, const FitOptions& options) {
  train.require_samples();
  options.validate();
  if (validation == nullptr && options.validation_fraction > 0.0) {
    const double held_out_count = std::floor(options.validation_fraction * static_cast<double>(train.size()));
    require_option(held_out_count >= 1.0, "fit", "validation_fraction", options.validation_fraction,
                   concatenate({"a share of at least one of the ", train.size(), " samples"}));
    require_option(!options.stratified || !train.has_targets(), "fit", "stratified", options.stratified,
                   "false, as the samples have targets and no classes");
    const auto [held_out, rest] = options.stratified
                                      ? data::stratified_split(train, options.validation_fraction, options.seed)
                                      : data::random_split(train, options.validation_fraction, options.seed);
    return Fit(epoch_trainer, rest, &held_out, options).run();
  }
  return Fit(epoch_trainer, train, validation, options).run();
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::detail
