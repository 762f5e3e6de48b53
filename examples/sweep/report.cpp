// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

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

void print_report(const std::vector<Summary>& summaries) {
  // 79 columns: a terminal of 80 shows it without wrapping.
  std::printf("%11s %11s %8s %6s %14s %15s %8s\n", "temperature", "hard weight", "lr", "seeds", "accuracy %", "errors",
              "seconds");
  for (const Summary& summary : summaries) {
    std::printf("%11s %11s %8s %6s ", retort::to_text(summary.setting.loss.temperature).c_str(),
                retort::to_text(summary.setting.loss.hard_weight).c_str(),
                retort::to_text(summary.setting.optimizer.learning_rate).c_str(), seeds_text(summary).c_str());
    if (summary.errors.count > 0) {
      std::printf("%6.2f +- %4.2f %6.1f +- %5.1f %8.2f\n", 100.0 * summary.accuracy.mean,
                  100.0 * summary.accuracy.standard_deviation, summary.errors.mean, summary.errors.standard_deviation,
                  summary.seconds.mean);
    } else {
      std::printf("%14s\n", "diverged");
    }
  }
  std::fflush(stdout);
}

}  // namespace sweep
