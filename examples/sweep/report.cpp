// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "retort/core/statistics.hpp"
#include "retort/core/text.hpp"

namespace sweep {

namespace {

// Fewest mean errors first and settings of which every run diverged last; of equal ones, in the order they came. (Not
// by std::stable_sort: clang++ 19 takes the temporary buffer of libstdc++ 12's for deprecated.)
void sort_by_errors(std::vector<Summary>& summaries) {
  std::vector<std::pair<double, std::size_t>> order;
  for (const Summary& summary : summaries) {
    order.emplace_back(summary.errors.count == 0 ? std::numeric_limits<double>::max() : summary.errors.mean,
                       order.size());
  }
  std::ranges::sort(order);
  std::vector<Summary> sorted;
  for (const auto& [errors, position] : order) {
    sorted.push_back(std::move(summaries[position]));
  }
  summaries = std::move(sorted);
}

}  // namespace

void print_report(std::vector<Summary> summaries, bool best_first) {
  if (best_first) {
    sort_by_errors(summaries);
  }
  std::printf("%11s %11s %13s %5s %17s %16s %10s\n", "temperature", "hard weight", "learning rate", "seeds",
              "accuracy %", "errors", "training s");
  for (const Summary& summary : summaries) {
    std::printf("%11s %11s %13s %5zu ", retort::to_text(summary.setting.loss.temperature).c_str(),
                retort::to_text(summary.setting.loss.hard_weight).c_str(),
                retort::to_text(summary.setting.optimizer.learning_rate).c_str(), summary.errors.count);
    if (summary.errors.count > 0) {
      std::printf("%8.2f +- %5.2f %7.1f +- %5.1f %10.2f", 100.0 * summary.accuracy.mean,
                  100.0 * summary.accuracy.standard_deviation, summary.errors.mean, summary.errors.standard_deviation,
                  summary.seconds.mean);
    }
    if (summary.diverged > 0) {
      std::printf("  %zu diverged", summary.diverged);
    }
    std::printf("\n");
  }
  std::fflush(stdout);
}

}  // namespace sweep
