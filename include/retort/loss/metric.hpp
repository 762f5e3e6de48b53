// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a trained network is judged by. Each loss has one metric, so that nothing reports an accuracy without classes.

#include <cstdint>
#include <string_view>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What an evaluation measures, and what the samples have for it.
enum class Metric : std::uint8_t {
  accuracy,     ///< labels: the share of samples whose largest logit is the label's
  exact_match,  ///< yes/no targets: the share of samples all of whose answers are right; a logit above 0 is a yes, as
                ///< is a target above 0.5 (the subset accuracy of scikit-learn)
  rmse          ///< real targets: the root of the mean squared error, over all samples and outputs
};

/// "accuracy", "exact match" or "RMSE".
[[gnu::cold]] inline std::string_view metric_name(Metric metric) {
  return metric == Metric::accuracy ? "accuracy" : metric == Metric::exact_match ? "exact match" : "RMSE";
}

/// The same in files: "accuracy", "exact_match" or "rmse".
[[gnu::cold]] inline std::string_view metric_key(Metric metric) {
  return metric == Metric::accuracy ? "accuracy" : metric == Metric::exact_match ? "exact_match" : "rmse";
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
