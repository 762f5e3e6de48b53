// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What one student of a sweep is trained with, and how students differ.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One student: a trainer's arguments, and a seed. All hyperparameters are values at run time; the students of a sweep
/// differ in them, not in their types.
template <Loss L = HintonLoss, Optimizer O = Adam>
struct SweepSetting {
  L loss{};
  O optimizer{};
  Seed seed{};                         ///< of shuffling, dropout and augmentation, and of the initial weights
  std::optional<Seed> initial_seed{};  ///< of the initial weights, if that is another one
  std::size_t teacher = 0;             ///< which of the sweep's teachers, from 0; see reads_teacher
  std::size_t model = 0;               ///< which of the sweep's models, from 0, if they are a OneOfModels

  Seed weights_seed() const { return initial_seed.value_or(seed); }

  /// Everything except the seeds: equal for students that differ in nothing else.
  std::string describe() const {
    std::string text = describe_settings(loss) + ", " + describe_settings(optimizer);
    if (teacher != 0) {
      text += ", teacher " + to_text(teacher);
    }
    if (model != 0) {
      text += ", model " + to_text(model);
    }
    return text;
  }
};

namespace detail {

/// Gives those of several settings of one name a number each: {"temperature[0]=2", "temperature[1]=4"}.
[[gnu::cold]] inline void number_namesakes(std::vector<std::string>& settings) {
  const auto name_of = [](const std::string& setting) { return setting.substr(0, setting.find('=')); };
  std::map<std::string, std::size_t> counts;
  for (const std::string& setting : settings) {
    ++counts[name_of(setting)];
  }
  std::map<std::string, std::size_t> numbers;
  for (std::string& setting : settings) {
    const std::string name = name_of(setting);
    if (counts[name] > 1) {
      setting.insert(name.size(), concatenate({"[", numbers[name]++, "]"}));
    }
  }
}

/// The names and settings in a description (describe_settings), each once: {"0.5 * HintonLoss", "temperature=2",
/// "hard_weight=0", "seed 1"} for "0.5 * HintonLoss(temperature=2, hard_weight=0), seed 1".
[[gnu::cold]] inline std::vector<std::string> settings_in(std::string_view description) {
  std::vector<std::string> settings;
  while (!description.empty()) {
    const std::size_t end = std::min(description.find_first_of("(),"), description.size());
    std::string_view setting = description.substr(0, end);
    setting.remove_prefix(std::min(setting.find_first_not_of(" +"), setting.size()));
    const bool has_value = setting.find('=') != std::string_view::npos;
    if (!setting.empty() && (has_value || std::ranges::find(settings, setting) == settings.end())) {
      settings.emplace_back(setting);
    }
    description.remove_prefix(std::min(end + 1, description.size()));
  }
  number_namesakes(settings);
  return settings;
}

/// For each description, the settings that are not common to all: "temperature=2, seed 1".
[[gnu::cold]] inline std::vector<std::string> setting_differences(const std::vector<std::string>& descriptions) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& description : descriptions) {
    for (const std::string& setting : settings_in(description)) {
      ++counts[setting];
    }
  }
  std::vector<std::string> differences;
  differences.reserve(descriptions.size());
  for (const std::string& description : descriptions) {
    std::string text;
    for (const std::string& setting : settings_in(description)) {
      if (counts[setting] < descriptions.size()) {
        text += concatenate({text.empty() ? "" : ", ", setting});
      }
    }
    differences.push_back(std::move(text));
  }
  return differences;
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET
