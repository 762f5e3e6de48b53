// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A dataset cut in two at random: training and validation.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The indices of the two parts of `size` samples, each in random order: floor(first_fraction * size) in the first, the
/// others in the second. A pure function of its arguments. Throws OptionError for a fraction outside (0, 1) and
/// where a part would be empty; ShapeError for 2^32 samples or more.
[[gnu::cold]] inline std::pair<std::vector<std::uint32_t>, std::vector<std::uint32_t>> random_split_indices(
    std::size_t size, double first_fraction, Seed seed) {
  if (!(first_fraction > 0 && first_fraction < 1)) {
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

/// The two parts themselves, copied. Errors as above.
[[gnu::cold]] inline std::pair<Dataset, Dataset> random_split(const Dataset& dataset, double first_fraction,
                                                              Seed seed) {
  const auto [first, second] = random_split_indices(dataset.size(), first_fraction, seed);
  return {dataset.subset(first), dataset.subset(second)};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
