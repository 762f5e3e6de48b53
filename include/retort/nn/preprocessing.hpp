// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How raw features become the inputs that a network was trained on, and what its classes are called.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What a network remembers of the dataset that it was trained on. Raw features are standardised column by column where
/// there are columns, then divided by 255 where they are bytes; the input is (x - mean) / standard_deviation.
struct Preprocessing {
  bool bytes = false;  ///< raw features are uint8
  double mean = 0.0;
  double standard_deviation = 1.0;          ///< > 0
  std::vector<double> column_means{};       ///< (inputs), or empty
  std::vector<double> column_deviations{};  ///< likewise; > 0
  std::vector<std::string> class_names{};   ///< (at most outputs), or empty where the classes are their numbers

  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

namespace detail {

[[gnu::cold]] inline std::string first_numbers(const std::vector<double>& values) {
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), most); ++i) {
    text += concatenate({i == 0 ? "" : ", ", values[i]});
  }
  return text += values.size() > most ? ", ..." : "";
}

}  // namespace detail

/// How inputs are made, in words: "bytes / 255, minus 0.5, divided by 0.5".
[[gnu::cold]] inline std::string describe_inputs(const Preprocessing& preprocessing) {
  const auto& means = preprocessing.column_means;
  return concatenate({preprocessing.bytes ? "bytes / 255" : "real numbers",
                      means.empty() ? "" : ", standardised by columns (means ", detail::first_numbers(means),
                      means.empty() ? "" : "; deviations ", detail::first_numbers(preprocessing.column_deviations),
                      means.empty() ? "" : ")", ", minus ", preprocessing.mean, ", divided by ",
                      preprocessing.standard_deviation});
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
