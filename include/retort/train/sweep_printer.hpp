// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A sweep's progress for people: one line a student.

#include <cstddef>
#include <cstdio>

#include "retort/core/instruction_set.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/sweep_observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Prints "student 7/60  accuracy 96.59 %  errors 341  0.41 s  HintonLoss(temperature=2, ...), Adam(...)" after each
/// student: the held-out figures where there are any, else those of the last epoch of training.
class SweepPrinter : public SweepObserver {
 public:
  explicit SweepPrinter(std::FILE* stream = stdout) : stream_(stream) {}

  void on_student_end(const StudentReport& report, const SweepProgress& progress) override {
    std::fprintf(stream_, "student %zu/%zu  ", progress.finished, progress.students);
    if (report.has_diverged()) {
      std::fprintf(stream_, "diverged");
    } else {
      const EpochMetrics& last = report.history.back();
      const double accuracy = report.evaluation ? report.evaluation->accuracy : last.accuracy;
      const std::size_t errors = report.evaluation ? report.evaluation->errors : last.errors;
      std::fprintf(stream_, "accuracy %.2f %%  errors %zu", 100.0 * accuracy, errors);
    }
    std::fprintf(stream_, "  %.2f s  %s\n", report.seconds(), report.description.c_str());
    std::fflush(stream_);
  }

 private:
  std::FILE* stream_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
