// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A sweep's progress for people: one line a student.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "retort/core/console.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/progress_line.hpp"
#include "retort/train/sweep_observer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Prints "student 7/60  accuracy 96.59 %  errors 341  temperature=2, seed 1  0:12 left  0.41 s" after each student:
/// the held-out figures if there are any, else those of the last epoch of training, of samples that have a label; the
/// settings that not all students have; the time left, judged by the students before; the time of its training. On a
/// terminal the line has as many of these fields as fit its width.
class SweepPrinter : public SweepObserver {
 public:
  /// `stream` is not owned. Throws OptionError if it is null.
  explicit SweepPrinter(std::FILE* stream = stdout)
      : stream_(internal::require_stream(stream, "SweepPrinter")), terminal_(internal::is_terminal(stream)) {}

  void on_student_end(const StudentReport& report, const SweepProgress& progress) override {
    std::array<detail::LineField, 6> fields{
        {{concatenate({"student ", progress.finished, "/", progress.students}), 0},
         {"diverged", 0},
         {},
         {report.difference, 3},
         {progress.finished < progress.students
              ? detail::left_text(progress.seconds / static_cast<double>(progress.finished) *
                                  static_cast<double>(progress.students - progress.finished))
              : "",
          2},
         {detail::seconds_text(report.seconds()), 4}}};
    if (!report.has_diverged()) {
      EpochMetrics metrics = report.history.back();
      metrics.validation = report.evaluation;
      fields[1].text = detail::metric_text(metrics.metric, metric_value(metrics));
      fields[2] = {detail::errors_text(metrics), 1};
    }
    const std::size_t columns = terminal_ ? internal::console_columns(stream_) - 1 : SIZE_MAX;
    std::fprintf(stream_, "%s\n", detail::fitted_line(fields, columns).c_str());
    std::fflush(stream_);
  }

 private:
  std::FILE* stream_;
  bool terminal_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
