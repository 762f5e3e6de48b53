// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A weight for each class, for the loss ClassWeighted (loss/class_weighted.hpp). Samples without a label count
/// nowhere.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

namespace detail {

/// Of the samples that have a label. Throws ShapeError for more than `Classes` classes, OptionError for a dataset with
/// targets, Error for one that was moved from.
template <std::size_t Classes>
std::array<double, Classes> class_counts(const Dataset& dataset) {
  dataset.require_samples();
  require_no_targets(dataset, "class weights");
  if (dataset.classes() > Classes) {
    throw ShapeError(
        concatenate({"class weights: the dataset has ", dataset.classes(), " classes, expected at most ", Classes}));
  }
  std::array<double, Classes> counts{};
  for (const std::uint32_t label : dataset.labels()) {
    if (label != unlabelled) {
      counts[label] += 1;
    }
  }
  return counts;
}

}  // namespace detail

/// The weights times one number, so that their mean over the training set's samples is 1: losses then keep the size
/// that learning rates are made for. Throws ShapeError for more than `Classes` classes, OptionError if no sample has a
/// weight above 0, Error for a dataset that was moved from.
template <std::size_t Classes>
[[gnu::cold]] std::array<double, Classes> normalized_class_weights(std::array<double, Classes> weights,
                                                                   const Dataset& training) {
  const std::array<double, Classes> counts = detail::class_counts<Classes>(training);
  double sum = 0;
  for (std::size_t label = 0; label < Classes; ++label) {
    sum += weights[label] * counts[label];
  }
  if (!(sum > 0)) {
    throw OptionError("class weights: no sample of the training set has a weight above 0");
  }
  for (double& weight : weights) {
    weight *= static_cast<double>(training.labelled_count()) / sum;
  }
  return weights;
}

/// Inverse to the classes' sizes, size / (classes * count), so that every class with samples weighs as much as any
/// other, with the mean 1 over the training set. A class without samples gets 1. Throws ShapeError for more than
/// `Classes` classes, Error for a dataset that was moved from.
template <std::size_t Classes>
[[gnu::cold]] std::array<double, Classes> balanced_class_weights(const Dataset& training) {
  std::array<double, Classes> weights = detail::class_counts<Classes>(training);
  double present = 0;
  for (const double count : weights) {
    present += count > 0 ? 1 : 0;
  }
  for (double& weight : weights) {
    weight = weight > 0 ? static_cast<double>(training.labelled_count()) / (present * weight) : 1;
  }
  return weights;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
