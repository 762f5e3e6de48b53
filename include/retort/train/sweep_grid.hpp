// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The settings of a sweep: all combinations of the values of a few fields.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/loss.hpp"
#include "retort/optim/optimizer.hpp"
#include "retort/train/sweep_setting.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// The values of one field: a hyperparameter of a loss or an optimizer, or a field of SweepSetting.
template <typename Owner, typename Value>
struct SweepAxis {
  using Field = Value Owner::*;

  Field field;
  std::vector<Value> values;
};
template <typename Owner, typename Value>
SweepAxis(Value Owner::*, std::vector<std::type_identity_t<Value>>) -> SweepAxis<Owner, Value>;

/// Every combination of the axes' values in copies of `setting`; the last axis varies fastest. This makes 15 settings,
/// all seeds of a temperature one after another:
///
///     const auto settings = sweep_grid(SweepSetting<>{.optimizer = {.learning_rate = 5e-3}},
///                                      SweepAxis{&HintonLoss::temperature, {1, 2, 4}},
///                                      SweepAxis{&SweepSetting<>::seed, consecutive_seeds(5)});
template <Loss L, Optimizer O, typename... Axes>
std::vector<SweepSetting<L, O>> sweep_grid(const SweepSetting<L, O>& setting, const Axes&... axes) {
  std::vector<SweepSetting<L, O>> settings{setting};
  [[maybe_unused]] const auto vary = [&]<typename Owner, typename Value>(const SweepAxis<Owner, Value>& axis) {
    for (const SweepSetting<L, O>& one : std::exchange(settings, {})) {
      for (const Value& value : axis.values) {
        SweepSetting<L, O>& varied = settings.emplace_back(one);
        if constexpr (std::is_base_of_v<Owner, L>) {
          varied.loss.*axis.field = value;
        } else if constexpr (std::is_base_of_v<Owner, O>) {
          varied.optimizer.*axis.field = value;
        } else {
          varied.*axis.field = value;
        }
      }
    }
  };
  (vary(axes), ...);
  return settings;
}

/// The settings without those that would train the same student again as one before: equal ones; such whose losses
/// differ in hyperparameters that they do not use (`simplified`), as HintonLoss does in its temperature where its hard
/// weight is 1; and such that differ in a teacher that the loss does not read (`reads_teacher`).
template <Loss L, Optimizer O>
std::vector<SweepSetting<L, O>> without_repeats(const std::vector<SweepSetting<L, O>>& settings) {
  std::vector<SweepSetting<L, O>> result;
  std::set<std::string> trained;
  for (const SweepSetting<L, O>& setting : settings) {
    SweepSetting<L, O> simplest = setting;
    simplest.loss = simplified(setting.loss);
    if (!reads_teacher(setting.loss)) {
      simplest.teacher = 0;
    }
    if (trained
            .insert(concatenate({simplest.describe(), ", seed ", setting.seed.value, ", weights of seed ",
                                 setting.weights_seed().value}))
            .second) {
      result.push_back(setting);
    }
  }
  return result;
}

/// `count` seeds: first, first + 1, ...
inline std::vector<Seed> consecutive_seeds(std::size_t count, std::uint64_t first = 0) {
  std::vector<Seed> seeds(count);
  for (std::size_t i = 0; i < count; ++i) {
    seeds[i] = Seed{first + i};
  }
  return seeds;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
