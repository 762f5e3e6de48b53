// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Ends a training that no longer improves.

#include <cstddef>
#include <optional>
#include <string_view>

#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/metric.hpp"
#include "retort/train/metrics.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Stops after `patience` epochs in a row that do not beat the best epoch's validation errors by more than
/// `minimum_gain`, and restores the best epoch's parameters. A loss of yes/no targets counts the samples that are not
/// an exact match; for one of real targets the validation RMSE takes the place of the errors. Prechelt, "Early stopping
/// - but when?" (1998). The validation set must not be the test set on which results are reported.
struct EarlyStopping {
  static constexpr std::string_view name = "EarlyStopping";
  std::size_t patience = 5;      ///< epochs
  std::size_t minimum_gain = 0;  ///< errors; 0 for a loss of real targets

  static constexpr auto hyperparameters() {
    return std::tuple{Hyperparameter{"patience", &EarlyStopping::patience, allowed::count_above_zero},
                      Hyperparameter{"minimum_gain", &EarlyStopping::minimum_gain}};
  }
};

namespace detail {

/// Throws OptionError for a minimum_gain of errors where the metric counts none.
[[gnu::cold]] inline void require_gain_for(Metric metric, const std::optional<EarlyStopping>& early_stopping) {
  if (metric == Metric::rmse && early_stopping && early_stopping->minimum_gain > 0) {
    throw OptionError(concatenate({"fit: early_stopping's minimum_gain is ", early_stopping->minimum_gain,
                                   " errors, expected 0: a loss of real targets counts none"}));
  }
}

}  // namespace detail

/// The best epoch of a history, counted from 1, by validation errors, or by the RMSE of real targets; among equals the
/// first. 0 for an empty history. Precondition: every epoch was validated.
inline std::size_t best_epoch(const History& history, std::size_t minimum_gain = 0) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (best == 0) {
      best = 1;
      continue;
    }
    const Evaluation& candidate = *history[i].validation;
    const Evaluation& leader = *history[best - 1].validation;
    const bool is_better = candidate.metric == Metric::rmse
                               ? candidate.loss < leader.loss
                               : candidate.errors < leader.errors && leader.errors - candidate.errors > minimum_gain;
    if (is_better) {
      best = i + 1;
    }
  }
  return best;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
