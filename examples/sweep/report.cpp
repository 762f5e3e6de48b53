// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"
#include "retort/core/statistics.hpp"
#include "retort/core/text.hpp"

namespace sweep {

// Not by std::stable_sort: clang++ 19 takes the temporary buffer of libstdc++ 12's for deprecated.
void sort_by_errors(std::vector<Summary>& summaries) {
  std::vector<std::pair<double, std::size_t>> order;
  order.reserve(summaries.size());
  for (const Summary& summary : summaries) {
    order.emplace_back(summary.errors.count == 0 ? std::numeric_limits<double>::max() : summary.errors.mean,
                       order.size());
  }
  std::ranges::sort(order);
  std::vector<Summary> sorted;
  sorted.reserve(summaries.size());
  for (const auto& [errors, position] : order) {
    sorted.push_back(std::move(summaries[position]));
  }
  summaries = std::move(sorted);
}

std::string seeds_text(const Summary& summary) {
  const std::size_t trained = summary.errors.count;
  return summary.diverged == 0 ? retort::to_text(trained)
                               : retort::concatenate({trained, " of ", trained + summary.diverged});
}

bool has_several_students(const std::vector<Summary>& summaries) {
  return std::ranges::any_of(
      summaries, [&](const Summary& summary) { return summary.setting.model != summaries.front().setting.model; });
}

std::string setting_text(const retort::SweepSetting<>& setting) {
  return retort::concatenate({student_names[setting.model], ", temperature ", setting.loss.temperature,
                              ", hard weight ", setting.loss.hard_weight, ", lr ", setting.optimizer.learning_rate});
}

void print_report(const std::vector<Summary>& summaries) {
  // 79 columns: a terminal of 80 shows it without wrapping. With a column of students the others are narrower.
  const bool several = has_several_students(summaries);
  const auto print_student = [&](const char* name) {
    if (several) {
      std::printf("%12s ", name);
    }
  };
  const int widths[] = {several ? 5 : 11, several ? 6 : 11, several ? 7 : 8, several ? 7 : 8};
  print_student("student");
  std::printf("%*s %*s %*s %6s %14s %15s %*s\n", widths[0], several ? "T" : "temperature", widths[1],
              several ? "weight" : "hard weight", widths[2], "lr", "seeds", "accuracy %", "errors", widths[3],
              "seconds");
  for (const Summary& summary : summaries) {
    print_student(student_names[summary.setting.model]);
    std::printf("%*s %*s %*s %6s ", widths[0], retort::to_text(summary.setting.loss.temperature).c_str(), widths[1],
                retort::to_text(summary.setting.loss.hard_weight).c_str(), widths[2],
                retort::to_text(summary.setting.optimizer.learning_rate).c_str(), seeds_text(summary).c_str());
    if (summary.errors.count > 0) {
      std::printf("%6.2f +- %4.2f %6.1f +- %5.1f %*.2f\n", 100.0 * summary.accuracy.mean,
                  100.0 * summary.accuracy.standard_deviation, summary.errors.mean, summary.errors.standard_deviation,
                  widths[3], summary.seconds.mean);
    } else {
      std::printf("%14s\n", "diverged");
    }
  }
  std::fflush(stdout);
}

void print_test(const retort::SweepSetting<>& setting, const std::vector<double>& errors, std::size_t images) {
  const retort::Statistics found = retort::statistics(errors);
  std::printf("\ntest: %s: %.1f +- %.1f errors of %zu test images, %zu seed%s\n", setting_text(setting).c_str(),
              found.mean, found.standard_deviation, images, errors.size(), errors.size() == 1 ? "" : "s");
  std::fflush(stdout);
}

}  // namespace sweep
