// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A dataset cut in two at random: training and validation, with the classes left to chance or in equal shares. And the
/// part that has labels.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The indices of the two parts of `size` samples, each in random order: floor(first_fraction * size) in the first, the
/// others in the second. A pure function of its arguments. Throws OptionError for a fraction outside (0, 1) and if a
/// part would be empty; ShapeError for 2^32 samples or more.
[[gnu::cold]] inline std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>> random_split_indices(
    std::size_t size, double first_fraction, Seed seed) {
  if (!is_finite(first_fraction) || first_fraction <= 0 || first_fraction >= 1) {
    throw OptionError(concatenate({"first_fraction: ", first_fraction, ", expected between 0 and 1"}));
  }
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw ShapeError(concatenate({"random_split: ", size, " samples, expected less than 2^32"}));
  }
  const auto first = static_cast<std::size_t>(first_fraction * static_cast<double>(size));
  if (first == 0 || first >= size) {
    throw OptionError(
        concatenate({"first_fraction: ", first_fraction, " of ", size, " samples leaves one part empty"}));
  }
  std::vector<std::uint32_t> order(size);
  random_permutation(order, RandomStream{seed, Stream::split, 0});
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(first);
  return {{order.begin(), middle}, {middle, order.end()}};
}

/// Like `random_split_indices` for the samples of these labels, but with the same share of every class in both parts:
/// if the first part has h of n samples, each class of m samples gives it floor(h m / n), and the classes with the
/// largest remainders, the first of equals, give one more each until it is full. Samples without a label are shared
/// like one more class.
[[gnu::cold]] inline std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>> stratified_split_indices(
    const Labels& labels, double first_fraction, Seed seed) {
  const auto [head, tail] = random_split_indices(labels.size(), first_fraction, seed);
  std::map<std::uint32_t, std::uint64_t> shares;  // samples of each class, then those in the first part
  for (const std::uint32_t label : labels) {
    ++shares[label];
  }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> remainders;  // times n, with their classes
  std::uint64_t missing = head.size();
  for (auto& [label, share] : shares) {
    const std::uint64_t product = head.size() * share;  // both are below 2^32
    share = product / labels.size();
    remainders.emplace_back(product % labels.size(), label);
    missing -= share;
  }
  std::sort(remainders.begin(), remainders.end(), [](const auto& left, const auto& right) {
    return left.first != right.first ? left.first > right.first : left.second < right.second;
  });
  for (std::size_t i = 0; i < missing; ++i) {
    ++shares[remainders[i].second];
  }
  // Each class gives its first samples, in the order of the plain split.
  std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>> parts;
  for (const std::vector<std::uint32_t>& part : {head, tail}) {
    for (const std::uint32_t index : part) {
      std::uint64_t& share = shares[labels[index]];
      (share > 0 ? parts.first : parts.second).push_back(index);
      share -= share > 0 ? 1 : 0;
    }
  }
  return parts;
}

/// The two parts themselves, copied. Errors as above.
[[gnu::cold]] inline std::pair<Dataset, Dataset> random_split(const Dataset& dataset, double first_fraction,
                                                              Seed seed) {
  dataset.require_samples();
  const auto [first, second] = random_split_indices(dataset.size(), first_fraction, seed);
  return {dataset.subset(first), dataset.subset(second)};
}

/// The same, by `stratified_split_indices`. Throws OptionError for a dataset with targets.
[[gnu::cold]] inline std::pair<Dataset, Dataset> stratified_split(const Dataset& dataset, double first_fraction,
                                                                  Seed seed) {
  dataset.require_samples();
  detail::require_no_targets(dataset, "stratified_split");
  const auto [first, second] = stratified_split_indices(dataset.labels(), first_fraction, seed);
  return {dataset.subset(first), dataset.subset(second)};
}

/// The samples that have a label, in their order, copied. Throws ShapeError if there are none, Error for a dataset that
/// was moved from.
[[gnu::cold]] inline Dataset labelled_part(const Dataset& dataset) {
  dataset.require_samples();
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    if (dataset.labels()[i] != unlabelled) {
      indices.push_back(static_cast<std::uint32_t>(i));
    }
  }
  if (indices.empty()) {
    throw ShapeError(concatenate({"labelled_part: none of the ", dataset.size(), " samples has a label"}));
  }
  return dataset.subset(indices);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
