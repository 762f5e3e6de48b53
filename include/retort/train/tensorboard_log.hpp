// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Progress for TensorBoard (https://www.tensorflow.org/tensorboard).

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/event_file.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Writes each epoch of a training to an event file, in one piece, so a killed process leaves a file that can be read.
/// The step is the epoch; the names are `loss/training` (the trained loss), `accuracy/training` (where a sample has a
/// label), `learning_rate` and, where there are held-out samples, `loss/validation` (Evaluation::loss) and
/// `accuracy/validation`. For a loss of yes/no targets `exact_match` takes the place of `accuracy`, for one of real
/// targets `rmse` does, which training has none of.
///
/// The folder is a run of TensorBoard's and its name is shown; runs in one folder are drawn together. A training that
/// begins or is resumed makes a new file with all of its epochs, since the older ones may be ahead of its checkpoint or
/// behind it. No older file is changed: TensorBoard shows the newest training of a folder, and each of its epochs once.
/// The epochs that a resumed one found done get the times of a run without a pause.
class TensorBoardLog : public Observer {
 public:
  /// Makes the folder where it is missing, and tries to write there. Throws FileError.
  [[gnu::cold]] explicit TensorBoardLog(std::filesystem::path folder) : folder_(std::move(folder)) {
    make_folder(folder_);
    require_writable(folder_ / "events");
  }

  /// Throws FileError.
  [[gnu::cold]] void on_fit_begin(const History& restored, std::size_t /*epochs*/) override {
    file_.reset();
    double time = io::EventFile::now();
    for (const EpochMetrics& metrics : restored) {
      time -= metrics.seconds;
    }
    for (const EpochMetrics& metrics : restored) {
      time += metrics.seconds;
      write(time, metrics);
    }
  }

  /// Throws FileError.
  [[gnu::cold]] void on_epoch_end(const EpochMetrics& metrics, std::size_t /*epochs*/) override {
    write(io::EventFile::now(), metrics);
  }

 private:
  [[gnu::cold]] void write(double time, const EpochMetrics& metrics) {
    const std::string_view key = metric_key(metrics.metric);
    std::vector<io::Scalar> scalars{{"loss/training", metrics.loss}, {"learning_rate", metrics.learning_rate}};
    if (metrics.accuracy) {
      scalars.insert(scalars.begin() + 1, {concatenate({key, "/training"}), *metrics.accuracy});
    }
    if (metrics.validation) {
      scalars.push_back({"loss/validation", metrics.validation->loss});
      scalars.push_back({concatenate({key, "/validation"}), *metric_value(metrics)});
    }
    if (!file_) {
      file_.emplace(folder_, 1);
    }
    file_->write(time, metrics.epoch, scalars);
  }

  std::filesystem::path folder_;
  std::optional<io::EventFile> file_;  // empty until there is an epoch to write
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
