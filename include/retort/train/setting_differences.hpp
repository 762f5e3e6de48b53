// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What tells the students of a sweep apart, in words.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::detail {

/// The settings in a description (describe_settings): {"temperature=2", "hard_weight=0.3", "seed 1"} of
/// "HintonLoss(temperature=2, hard_weight=0.3), seed 1".
[[gnu::cold]] inline std::vector<std::string_view> settings_in(std::string_view description) {
  constexpr std::string_view separator = ", ";
  std::vector<std::string_view> settings;
  for (bool more = true; more;) {
    const std::size_t end = description.find(separator);
    std::string_view setting = description.substr(0, end);
    setting.remove_prefix(setting.rfind('(') + 1);  // npos + 1 is 0
    setting = setting.substr(0, setting.find(')'));
    if (!setting.empty()) {
      settings.push_back(setting);
    }
    more = end != std::string_view::npos;
    description.remove_prefix(more ? end + separator.size() : description.size());
  }
  return settings;
}

/// Of each description the settings that not all of them have: "temperature=2, seed 1".
[[gnu::cold]] inline std::vector<std::string> setting_differences(const std::vector<std::string>& descriptions) {
  std::map<std::string_view, std::size_t> counts;
  for (const std::string& description : descriptions) {
    for (const std::string_view setting : settings_in(description)) {
      ++counts[setting];
    }
  }
  std::vector<std::string> differences;
  differences.reserve(descriptions.size());
  for (const std::string& description : descriptions) {
    std::string text;
    for (const std::string_view setting : settings_in(description)) {
      if (counts[setting] < descriptions.size()) {
        text += concatenate({text.empty() ? "" : ", ", setting});
      }
    }
    differences.push_back(std::move(text));
  }
  return differences;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::detail
