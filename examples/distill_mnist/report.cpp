// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cstdio>

#include "retort/core/size.hpp"

namespace distill_mnist {

namespace {

/// 2395210 as "2,395,210".
std::string with_separators(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t end = digits.size(); end > 3; end -= 3) {
    digits.insert(end - 3, 1, ',');
  }
  return digits;
}

std::string kilobytes(std::uintmax_t bytes) { return with_separators(retort::to_size((bytes + 512) / 1024)); }

}  // namespace

void print_report(const std::vector<ReportRow>& rows) {
  std::printf("%-18s %10s %10s %7s %10s %10s %10s %9s\n", "", "parameters", "accuracy", "errors", "training s",
              "file KiB", "us/image", "speed-up");
  for (const ReportRow& row : rows) {
    std::printf("%-18s %10s %8.2f %% %7zu %10.2f %10s %10.3f %8.1fx\n", row.name.c_str(),
                with_separators(row.parameters).c_str(), 100.0 * row.evaluation.accuracy, row.evaluation.errors,
                row.seconds, kilobytes(row.bytes).c_str(), row.microseconds_per_image,
                rows.front().microseconds_per_image / row.microseconds_per_image);
  }
  std::fflush(stdout);
}

}  // namespace distill_mnist
