// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Columns of measurements in different units, each scaled to mean 0 and standard deviation 1.

#include <cstddef>
#include <string>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

class Dataset;

/// What each column of features was before: `apply` turns a raw feature x of column c into the float nearest to
/// (x - means[c]) / deviations[c]. Fit it to the training samples alone and apply the same to every other dataset:
///
///     const auto standardization = data::Standardization::fit(train);
///     train = standardization.apply(train);
///     test = standardization.apply(test);
///
/// A dataset remembers its standardization (Dataset::standardization()). data/dataset.hpp defines `fit` and `apply`.
struct Standardization {
  std::vector<double> means;       // (features)
  std::vector<double> deviations;  // (features), above 0

  /// The mean and the standard deviation (divided by the number of samples, not by one less) of every column of the raw
  /// features, in double; bytes count from 0 to 255. A constant column gets the deviation 1, so it becomes 0. Throws
  /// OptionError for a dataset that is already standardised, Error for one that was moved from.
  static Standardization fit(const Dataset& training);

  /// The same samples with real, standardised features, the normalization 0 and 1, and this standardization. Throws
  /// ShapeError for another number of features and for a result beyond float's range; OptionError if `validate` does,
  /// and for a dataset that is already standardised; Error for one that was moved from.
  Dataset apply(const Dataset& dataset) const;

  /// Whether it has no columns.
  bool empty() const { return means.empty() && deviations.empty(); }

  /// Throws OptionError unless there is a deviation for each mean, the means are finite, and the deviations are finite
  /// and above 0.
  [[gnu::cold]] void validate() const {
    if (means.size() != deviations.size()) {
      throw OptionError(concatenate({"standardization: ", means.size(), " means and ", deviations.size(),
                                     " deviations, expected as many of both"}));
    }
    for (std::size_t column = 0; column < means.size(); ++column) {
      require_in({}, "standardization", concatenate({"the mean of column ", column}), means[column]);
      require_in({"a finite number above 0", allowed::is_positive}, "standardization",
                 concatenate({"the deviation of column ", column}), deviations[column]);
    }
  }

  friend bool operator==(const Standardization&, const Standardization&) = default;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
