// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How raw features become the inputs that a network was trained on, and the names of its classes.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/core/utf8.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// What a network remembers of the dataset it was trained on. Raw features are standardised column by column if there
/// are columns, then divided by 255 if they are bytes; the input is (x - mean) / standard_deviation.
struct Preprocessing {
  bool bytes = false;  ///< raw features are uint8
  double mean = 0.0;
  double standard_deviation = 1.0;          ///< > 0
  std::vector<double> column_means{};       ///< (inputs), or empty
  std::vector<double> column_deviations{};  ///< likewise; > 0
  std::vector<std::string> class_names{};   ///< (at most outputs), or empty if the classes are their numbers

  /// Throws OptionError naming the field for what a network with that many inputs and outputs cannot have: numbers that
  /// are not finite, a deviation that is not above 0, columns or names of another count, a name that is not UTF-8.
  [[gnu::cold]] void validate(std::size_t inputs, std::size_t outputs) const {
    constexpr const char* owner = "preprocessing";
    constexpr Range above_zero{"a finite number above 0", allowed::is_positive};
    require_in({}, owner, "mean", mean);
    require_in(above_zero, owner, "standard_deviation", standard_deviation);
    const std::size_t columns = column_means.empty() && column_deviations.empty() ? 0 : inputs;
    if (column_means.size() != columns || column_deviations.size() != columns) {
      throw OptionError(concatenate({owner, ": ", column_means.size(), " column_means and ", column_deviations.size(),
                                     " column_deviations, expected ", inputs, " of both, one for each input"}));
    }
    for (std::size_t column = 0; column < columns; ++column) {
      require_in({}, owner, concatenate({"column_means[", column, "]"}), column_means[column]);
      require_in(above_zero, owner, concatenate({"column_deviations[", column, "]"}), column_deviations[column]);
    }
    if (class_names.size() > outputs) {
      throw OptionError(concatenate(
          {owner, ": ", class_names.size(), " class_names, expected at most ", outputs, ", one for each output"}));
    }
    for (std::size_t i = 0; i < class_names.size(); ++i) {
      if (!internal::is_utf8(class_names[i])) {
        throw OptionError(
            concatenate({owner, ": class_names[", i, "] is ", in_quotes(class_names[i]), ", expected UTF-8"}));
      }
    }
  }

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
