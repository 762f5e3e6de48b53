// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Every student of a sweep as a line of a file.

#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"
#include "retort/core/atomic_file.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/json.hpp"
#include "retort/core/text.hpp"
#include "retort/train/sweep_observer.hpp"
#include "retort/train/sweep_setting.hpp"

namespace sweep {

/// Writes runs.jsonl (https://jsonlines.org) anew, atomically, when a student ends, but at most once a second, and for
/// certain after the last one or, where the sweep ends early, in the destructor: one object for each student that has
/// ended, in the order of the settings. A process that is killed may lose those that ended within a second of the last
/// writing; one that resumes writes them again. Fields: `student` (from 0), `model` (of student_names), the loss's
/// `temperature` and `hard_weight`, `learning_rate`, `seed`, `diverged`, `accuracy`, `errors` and `loss`
/// (cross-entropy) on the images held out, null where it diverged, `seconds`.
class RunsFile : public retort::SweepObserver {
 public:
  /// Throws retort::FileError where `path` cannot be written.
  RunsFile(std::filesystem::path path, const std::vector<retort::SweepSetting<>>& settings)
      : path_(std::move(path)), settings_(settings) {
    retort::require_writable(path_);
  }

  RunsFile(const RunsFile&) = delete;
  RunsFile& operator=(const RunsFile&) = delete;

  ~RunsFile() override {
    if (!unwritten_) {
      return;
    }
    try {
      write();
    } catch (const std::exception&) {
      // What ended the sweep is reported, and the file is as it was.
    }
  }

  /// Throws retort::FileError.
  void on_student_end(const retort::StudentReport& report, const retort::SweepProgress& progress) override {
    const retort::SweepSetting<>& setting = settings_[report.index];
    const auto& found = report.evaluation;
    const std::string nothing = "null";
    const std::string which =
        retort::concatenate({"\"student\":", report.index, ",\"model\":\"", student_names[setting.model], "\""});
    lines_[report.index] = retort::concatenate(
        {"{", which, ",", retort::json_members(setting.loss),
         ",\"learning_rate\":", retort::json_number(setting.optimizer.learning_rate), ",\"seed\":", setting.seed.value,
         ",\"diverged\":", report.has_diverged() ? "true" : "false",
         ",\"accuracy\":", found ? retort::json_number(found->accuracy) : nothing,
         ",\"errors\":", found ? retort::to_text(found->errors) : nothing,
         ",\"loss\":", found ? retort::json_number(found->loss) : nothing,
         ",\"seconds\":", retort::json_number(report.seconds()), "}\n"});
    unwritten_ = true;
    // All lines each time: after every student it would be quadratic work.
    if (progress.finished == progress.students || Clock::now() >= next_) {
      write();
      next_ = Clock::now() + std::chrono::seconds(1);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  void write() {
    retort::AtomicFile file(path_);
    for (const auto& [index, line] : lines_) {
      file.write(line);
    }
    file.commit();
    unwritten_ = false;
  }

  std::filesystem::path path_;
  const std::vector<retort::SweepSetting<>>& settings_;
  std::map<std::size_t, std::string> lines_;
  bool unwritten_ = false;  // whether there are lines that the file lacks
  Clock::time_point next_ = Clock::time_point::min();
};

}  // namespace sweep
