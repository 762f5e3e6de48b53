// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Progress for programs: one JSON object an epoch, one object a line (https://jsonlines.org).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "retort/core/append_file.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A log file of one or more trainings, its phases. Each epoch appends its line in one piece, so a killed process
/// leaves whole lines. A phase that starts over cuts off what an older run left after the phases before it. A resumed
/// one, when its next epoch ends, keeps the lines of the epochs in its checkpoint, writes missing ones, and cuts off
/// the lines after them (the log may be ahead of the checkpoint): after a resume the file holds the same epochs as
/// without the interruption. Lines are not flushed to the disk; a checkpoint is, and restores those that a power cut
/// took.
///
/// Fields: `phase`, `epoch` (from 1), `loss` (the trained loss), `accuracy` and `errors` (on the held-out samples, or
/// of training if there are none; null where no sample has a label), `seconds`, `learning_rate`, `samples_per_second`.
/// With a loss of yes/no targets `accuracy` is null, and `exact_match` is there besides; with one of real targets
/// `accuracy` and `errors` are null, and `rmse` is there besides (on the held-out samples, else null).
class JsonLinesLog {
 public:
  explicit JsonLinesLog(std::filesystem::path path) : path_(std::move(path)) {}

  /// Begins a phase with the epochs `restored`, none if it starts over. Throws FileError.
  [[gnu::cold]] void begin_phase(const std::string& phase, const History& restored) {
    internal::AppendFile file(path_);
    if (restored.empty()) {
      file.truncate(end_);
      return;
    }
    std::string lines;
    for (const EpochMetrics& metrics : restored) {
      lines += line_of(phase, metrics);
    }
    // A resumed run that fails before its next epoch, such as for an option that differs, leaves the log as it found
    // it.
    if (!file.holds(end_, lines)) {
      file.truncate(end_);
      file.append(lines);
    }
    end_ += lines.size();
  }

  /// Throws FileError.
  [[gnu::cold]] void append(const std::string& phase, const EpochMetrics& metrics) {
    const std::string line = line_of(phase, metrics);
    internal::AppendFile file(path_);
    file.truncate(end_);
    file.append(line);
    end_ += line.size();
  }

 private:
  [[gnu::cold]] static std::string line_of(const std::string& phase, const EpochMetrics& metrics) {
    const auto& validation = metrics.validation;
    const std::optional<double> figure = metric_value(metrics);
    const std::optional<std::size_t> errors =
        validation && validation->metric != Metric::rmse ? validation->errors : metrics.errors;
    const std::string text = figure ? json_number(*figure) : "null";
    const bool of_classes = metrics.metric == Metric::accuracy;
    return concatenate(
        {"{\"phase\":", json_string(phase), ",\"epoch\":", metrics.epoch, ",\"loss\":", json_number(metrics.loss),
         ",\"accuracy\":", of_classes ? text : "null", ",\"errors\":", errors ? to_text(*errors) : "null",
         of_classes ? "" : concatenate({",\"", metric_key(metrics.metric), "\":", text}),
         ",\"seconds\":", json_number(metrics.seconds), ",\"learning_rate\":", json_number(metrics.learning_rate),
         ",\"samples_per_second\":", json_number(metrics.samples_per_second), "}\n"});
  }

  std::filesystem::path path_;
  std::uint64_t end_ = 0;  // bytes of this log's lines; an older run's lines may follow
};

/// Logs one training under a phase's name. The log must outlive it.
class JsonLinesObserver : public Observer {
 public:
  JsonLinesObserver(JsonLinesLog& log, std::string phase) : log_(log), phase_(std::move(phase)) {}

  void on_fit_begin(const History& restored, std::size_t /*epochs*/) override { log_.begin_phase(phase_, restored); }
  void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override { log_.append(phase_, metrics); }

 private:
  JsonLinesLog& log_;
  std::string phase_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
