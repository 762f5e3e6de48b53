// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Progress for programs: one JSON object an epoch, one object a line (https://jsonlines.org).

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <utility>

#include "retort/core/atomic_file.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A log file of one or more trainings, its phases. It is written anew, atomically, after each epoch: at every moment
/// it holds whole lines, and after a resume the same epochs as without the interruption.
///
/// Fields: `phase`, `epoch` (from 1), `loss` (the trained loss), `accuracy` and `errors` (on the held-out samples, or
/// of training where there are none), `seconds`, `learning_rate`, `samples_per_second`.
class JsonLinesLog {
 public:
  explicit JsonLinesLog(std::filesystem::path path) : path_(std::move(path)) {}

  void append(const std::string& phase, const EpochMetrics& metrics) {
    const auto& validation = metrics.validation;
    text_ += concatenate(
        {"{\"phase\":", json_string(phase), ",\"epoch\":", metrics.epoch, ",\"loss\":", json_number(metrics.loss),
         ",\"accuracy\":", json_number(validation ? validation->accuracy : metrics.accuracy),
         ",\"errors\":", validation ? validation->errors : metrics.errors,
         ",\"seconds\":", json_number(metrics.seconds), ",\"learning_rate\":", json_number(metrics.learning_rate),
         ",\"samples_per_second\":", json_number(metrics.samples_per_second), "}\n"});
  }

  /// Whether the file begins with every line appended so far. That of an interrupted run may go on with later ones.
  bool is_on_disk() const {
    std::ifstream file(path_, std::ios::binary);
    std::string found(text_.size(), '\0');
    return file.read(found.data(), static_cast<std::streamsize>(found.size())) && found == text_;
  }

  /// Throws FileError.
  void write() const {
    AtomicFile file(path_);
    file.write(text_);
    file.commit();
  }

 private:
  std::filesystem::path path_;
  std::string text_;
};

/// Logs one training under a phase's name. The log must outlive it.
class JsonLinesObserver : public Observer {
 public:
  JsonLinesObserver(JsonLinesLog& log, std::string phase) : log_(log), phase_(std::move(phase)) {}

  void on_fit_begin(const History& restored, std::size_t /*epochs*/) override {
    for (const EpochMetrics& metrics : restored) {
      log_.append(phase_, metrics);
    }
    // A resumed run that fails before its next epoch, for an option that differs, leaves the log as it found it.
    if (restored.empty() || !log_.is_on_disk()) {
      log_.write();
    }
  }

  void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override {
    log_.append(phase_, metrics);
    log_.write();
  }

 private:
  JsonLinesLog& log_;
  std::string phase_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
