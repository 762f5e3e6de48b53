// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Two datasets one after the other, such as samples with labels and samples without.

#include <algorithm>
#include <cstddef>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The samples of `first`, then those of `second`, copied; as many classes as the one that has more. Throws OptionError
/// if features, targets, image, normalization, standardization or the names of the classes differ. One of the two may
/// have no names. Throws Error for a dataset that was moved from.
[[gnu::cold]] inline Dataset join(const Dataset& first, const Dataset& second) {
  first.require_samples();
  second.require_samples();
  const auto require = [](bool same, const char* what) {
    if (!same) {
      throw OptionError(concatenate({"join: the datasets differ in their ", what, ", expected the same"}));
    }
  };
  require(first.features_.index() == second.features_.index(), "features: bytes and real numbers");
  require(first.feature_count() == second.feature_count(), "number of features");
  require(first.target_count() == second.target_count(), "number of targets");
  require(first.image_ == second.image_, "image extents");
  require(first.normalization_ == second.normalization_, "normalization");
  require(first.standardization_ == second.standardization_, "standardization");
  const auto& names = first.class_names_.empty() ? second.class_names_ : first.class_names_;
  require(second.class_names_.empty() || second.class_names_ == names, "class names");
  const auto rows_of = [&]<typename Values>(const Values& values, const Values& others) {
    Values rows(first.size() + second.size(), values.columns());
    const auto middle = std::copy(values.values().begin(), values.values().end(), rows.values().begin());
    std::copy(others.values().begin(), others.values().end(), middle);
    return rows;
  };
  Features features = first.visit([&]<typename Values>(const Values& values) -> Features {
    return rows_of(values, std::get<Values>(second.features_));
  });
  Labels labels = first.labels_;
  labels.insert(labels.end(), second.labels_.begin(), second.labels_.end());
  Dataset result{std::move(features), std::move(labels), std::max(first.classes_, second.classes_), first.image_,
                 first.normalization_};
  result.standardization_ = first.standardization_;
  if (first.has_targets()) {
    result.targets_ = rows_of(first.targets_, second.targets_);
  }
  return std::move(result).with_class_names(names);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
