// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The students of a sweep as runs of TensorBoard's.

#include <filesystem>
#include <utility>

#include "retort/core/text.hpp"
#include "retort/train/sweep_observer.hpp"
#include "retort/train/tensorboard_log.hpp"

namespace sweep {

/// Writes each student's epochs when it ends, into a folder named after its place in runs.jsonl and its setting:
/// "student_3 temperature=2, seed 1".
class TensorBoardStudents : public retort::SweepObserver {
 public:
  /// Throws retort::FileError where `folder` cannot be written to.
  explicit TensorBoardStudents(std::filesystem::path folder) : folder_(std::move(folder)) {
    const retort::TensorBoardLog never_written(folder_);
  }

  /// Throws retort::FileError.
  void on_student_end(const retort::StudentReport& report, const retort::SweepProgress& /*progress*/) override {
    retort::TensorBoardLog log(
        folder_ /
        retort::concatenate({"student_", report.index, report.difference.empty() ? "" : " ", report.difference}));
    log.on_fit_begin(report.history, report.history.size());
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace sweep
