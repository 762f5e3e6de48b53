// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Compares a dataset with what a network remembers of the one it was trained on.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/dataset_view.hpp"
#include "retort/data/message.hpp"
#include "retort/data/standardization.hpp"
#include "retort/nn/preprocessing.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// How the dataset's features become inputs, and the names of its classes.
[[gnu::cold]] inline Preprocessing preprocessing_of(const data::Dataset& data) {
  return {.bytes = data.view().bytes != nullptr,
          .mean = data.normalization().mean,
          .standard_deviation = data.normalization().standard_deviation,
          .column_means = data.standardization().means,
          .column_deviations = data.standardization().deviations,
          .class_names = data.class_names()};
}

namespace detail {

/// Whether the features are real numbers from 0 to 1, like bytes / 255.
[[gnu::cold]] inline bool are_in_unit_range(const data::Dataset& data) {
  const data::DatasetView view = data.view();
  return view.reals != nullptr && std::all_of(view.reals, view.reals + view.size * view.features,
                                              [](float value) { return value >= 0.0f && value <= 1.0f; });
}

}  // namespace detail

/// Throws OptionError unless `data` makes inputs as `expected` says, and its classes have the same names if both have
/// names. Real numbers from 0 to 1 count as bytes / 255. Checks nothing if nothing is expected. `owner` has the
/// expected preprocessing, such as "the network".
[[gnu::cold]] inline void require_preprocessing(const std::optional<Preprocessing>& expected, const data::Dataset& data,
                                                std::string_view owner) {
  if (!expected) {
    return;
  }
  Preprocessing found = preprocessing_of(data);
  if (found.class_names.empty() || expected->class_names.empty()) {
    found.class_names = expected->class_names;
  }
  if (expected->bytes && detail::are_in_unit_range(data)) {
    found.bytes = true;
  }
  if (found == *expected) {
    return;
  }
  found.bytes = data.view().bytes != nullptr;
  if (found.class_names.size() != expected->class_names.size()) {
    throw OptionError(concatenate({"class_names: the dataset has ", found.class_names.size(), ", expected the ",
                                   expected->class_names.size(), " of ", owner, " (CsvOptions::class_names)"}));
  }
  for (std::size_t i = 0; i < found.class_names.size(); ++i) {
    if (found.class_names[i] != expected->class_names[i]) {
      throw OptionError(concatenate({"class_names: class ", i, " of the dataset is ", in_quotes(found.class_names[i]),
                                     ", expected ", in_quotes(expected->class_names[i]), " as for ", owner}));
    }
  }
  const std::string inputs = describe_inputs(found);
  const std::string expected_inputs = describe_inputs(*expected);
  if (inputs == expected_inputs) {  // only the first of many columns are described
    for (std::size_t column = 0; column < found.column_means.size(); ++column) {
      if (found.column_means[column] != expected->column_means[column] ||
          found.column_deviations[column] != expected->column_deviations[column]) {
        throw OptionError(concatenate({"standardization: column ", column + 1, " of the dataset has the mean ",
                                       found.column_means[column], " and the deviation ",
                                       found.column_deviations[column], ", expected ", expected->column_means[column],
                                       " and ", expected->column_deviations[column], ", as for ", owner}));
      }
    }
  }
  throw OptionError(concatenate(
      {"normalization: the dataset's inputs are ", inputs, "; expected ", expected_inputs, ", as for ", owner}));
}

/// What a network that knows `known` remembers after training on `data`, which require_preprocessing accepts: what it
/// knows, with the names of its classes if only the data has them.
[[gnu::cold]] inline Preprocessing preprocessing_with(const std::optional<Preprocessing>& known,
                                                      const data::Dataset& data) {
  Preprocessing result = known ? *known : preprocessing_of(data);
  if (result.class_names.empty()) {
    result.class_names = data.class_names();
  }
  return result;
}

/// `data` in the form that `network` was trained on: with its normalization, and standardised by its columns unless the
/// dataset already is. Unchanged if the network remembers nothing. Throws OptionError if that cannot be: bytes for real
/// numbers or the reverse, other columns, other class names.
template <typename N>
[[gnu::cold]] data::Dataset preprocess_for(const N& network, data::Dataset data) {
  const std::optional<Preprocessing>& known = network.preprocessing();
  if (!known) {
    return data;
  }
  if (!known->column_means.empty() && data.standardization().empty()) {
    data = data::Standardization{known->column_means, known->column_deviations}.apply(data);
  }
  data = std::move(data).with_normalization({known->mean, known->standard_deviation});
  require_preprocessing(known, data, "the network");
  return data;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
