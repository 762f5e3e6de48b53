// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A sweep over seeds in a few numbers: mean and standard deviation for each setting.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/statistics.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/metrics.hpp"
#include "retort/train/sweep_setting.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The students of one setting, and so of one model, with any seeds. The figures cover those that did not diverge: on
/// the validation samples if there are any, else in the last epoch of training; accuracy and errors where samples have
/// labels.
template <Loss L, Optimizer O>
struct SweepSummary {
  SweepSetting<L, O> setting;  ///< the first student's
  std::string model{};         ///< its name: StudentReport::model
  std::size_t diverged = 0;    ///< students
  Statistics accuracy{};       ///< in [0, 1]; of a loss of yes/no targets, the exact matches
  Statistics errors{};
  Statistics rmse{};     ///< of a loss of real targets, on validation samples; such a loss has no accuracy and errors
  Statistics loss{};     ///< Evaluation::loss; of the last epoch of training, the trained loss
  Statistics seconds{};  ///< of training a student
};

/// One entry for each setting, in the order of first appearance. `results` come from Sweep::fit.
template <typename Result>
auto summarize(const std::vector<Result>& results) {
  struct Values {
    std::vector<double> accuracy, errors, rmse, loss, seconds;
  };
  using Summary = decltype(SweepSummary{results.front().setting});
  std::vector<Summary> summaries;
  std::vector<Values> values;  // of each summary
  std::map<std::string, std::size_t> place;
  for (const Result& result : results) {
    const auto [found, is_new] = place.try_emplace(result.setting.describe(), summaries.size());
    if (is_new) {
      summaries.push_back(Summary{.setting = result.setting, .model = result.model});
      values.emplace_back();
    }
    if (result.has_diverged()) {
      ++summaries[found->second].diverged;
      continue;
    }
    const EpochMetrics& last = result.history.back();
    const auto& evaluation = result.evaluation;
    Values& own = values[found->second];
    if (evaluation && evaluation->metric == Metric::rmse) {
      own.rmse.push_back(evaluation->rmse());
    } else if (evaluation || last.errors) {
      own.accuracy.push_back(evaluation ? evaluation->accuracy : *last.accuracy);
      own.errors.push_back(static_cast<double>(evaluation ? evaluation->errors : *last.errors));
    }
    own.loss.push_back(evaluation ? evaluation->loss : last.loss);
    own.seconds.push_back(result.seconds());
  }
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    summaries[i].accuracy = statistics(values[i].accuracy);
    summaries[i].errors = statistics(values[i].errors);
    summaries[i].rmse = statistics(values[i].rmse);
    summaries[i].loss = statistics(values[i].loss);
    summaries[i].seconds = statistics(values[i].seconds);
  }
  return summaries;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
