#pragma once
/// @file
/// Every student of a sweep as a line of a file.

#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/train/sweep_observer.hpp"
#include "retort/train/sweep_setting.hpp"

namespace sweep {

/// Writes runs.jsonl (https://jsonlines.org) anew, atomically, after each student: one object for each that has ended,
/// in the order of the settings. Fields: `student` (from 0), `temperature`, `hard_weight`, `learning_rate`, `seed`,
/// `diverged`, `accuracy`, `errors` and `loss` (cross-entropy) on the images held out, null where it diverged,
/// `seconds`.
class RunsFile : public retort::SweepObserver {
 public:
  /// Throws retort::FileError where `path` cannot be written.
  RunsFile(std::filesystem::path path, const std::vector<retort::SweepSetting<>>& settings)
      : path_(std::move(path)), settings_(settings) {
    const retort::AtomicFile never_committed(path_);
  }

  void on_student_end(const retort::StudentReport& report, const retort::SweepProgress& /*progress*/) override {
    const retort::SweepSetting<>& setting = settings_[report.index];
    nlohmann::ordered_json line{{"student", report.index},
                                {"temperature", setting.loss.temperature},
                                {"hard_weight", setting.loss.hard_weight},
                                {"learning_rate", setting.optimizer.learning_rate},
                                {"seed", setting.seed.value},
                                {"diverged", report.has_diverged()}};
    for (const char* field : {"accuracy", "errors", "loss"}) {
      line[field] = nullptr;
    }
    if (report.evaluation) {
      line["accuracy"] = report.evaluation->accuracy;
      line["errors"] = report.evaluation->errors;
      line["loss"] = report.evaluation->loss;
    }
    line["seconds"] = report.seconds();
    lines_[report.index] = line.dump() + "\n";
    write();
  }

 private:
  void write() const {
    retort::AtomicFile file(path_);
    for (const auto& [index, line] : lines_) {
      file.write(line);
    }
    file.commit();
  }

  std::filesystem::path path_;
  const std::vector<retort::SweepSetting<>>& settings_;
  std::map<std::size_t, std::string> lines_;
};

}  // namespace sweep
