// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// How many classes a file of labels has, for the readers.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data::detail {

/// `classes`, or the highest label + 1 if it is 0, or 0 if no sample has a label. In that case throws FormatError if no
/// label is 0: labels from 1 to 5 are five classes, and would silently become six. `first_label` is already subtracted
/// from the labels.
[[gnu::cold]] inline std::uint32_t count_classes(const std::filesystem::path& path, const Labels& labels,
                                                 std::uint32_t classes, std::uint32_t first_label) {
  if (classes != 0) {
    return classes;
  }
  std::uint32_t highest = 0;
  std::uint32_t lowest = unlabelled;
  for (const std::uint32_t label : labels) {
    lowest = std::min(lowest, label);
    highest = label == unlabelled ? highest : std::max(highest, label);
  }
  if (lowest == unlabelled) {
    return 0;
  }
  if (lowest != 0) {
    throw FormatError(path, concatenate({"labels: from ", first_label + lowest, " to ", first_label + highest,
                                         ", expected ", first_label, " among them (first_label ", first_label + lowest,
                                         " makes the lowest class 0; or set classes)"}));
  }
  return highest + 1;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data::detail
