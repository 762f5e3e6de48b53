// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The sweep as a page: charts of errors by temperature, and tables.

#include <cstddef>
#include <optional>
#include <vector>

#include "options.hpp"
#include "report.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/sweep_setting.hpp"

namespace sweep {

struct StudentRun {
  retort::SweepSetting<> setting;
  std::optional<retort::Evaluation> evaluation{};  ///< empty where it diverged
};

struct SweepReport {
  std::size_t held_out = 0;
  std::size_t teacher_errors = 0;
  std::vector<Summary> summaries;  ///< in the order of the table
  std::vector<StudentRun> runs;
};

/// Writes the page to `options.report`. Two equal sweeps write equal pages but for the seconds. Throws
/// retort::FileError.
void write_report_page(const Options& options, const SweepReport& report);

}  // namespace sweep
