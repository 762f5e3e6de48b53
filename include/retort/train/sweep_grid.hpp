// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The settings of a sweep: all combinations of the values of a few fields.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
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

/// The values of one field: a hyperparameter of a loss or an optimizer, or a field of SweepSetting. `field` points to
/// it or, for a field further within, is a function that finds it in a setting:
///
///     SweepAxis{&HintonLoss::temperature, {1, 2, 4}}
///     SweepAxis{[](auto& setting) -> auto& { return setting.loss.second.temperature; }, {1, 2, 4}}
///
/// A function's values are of one type, {1.0, 0.5} and not {1, 0.5}. Tables and files name an axis after the field, as
/// the setting's description does: "temperature=2", and "temperature[1]=2" where a loss has several.
template <typename Field, typename Value>
struct SweepAxis {
  Field field;
  std::vector<Value> values;
};
template <typename Owner, typename Value>
SweepAxis(Value Owner::*, std::vector<std::type_identity_t<Value>>) -> SweepAxis<Value Owner::*, Value>;
template <typename Field, typename Value>
  requires(!std::is_member_pointer_v<Field>)
SweepAxis(Field, std::vector<Value>) -> SweepAxis<Field, Value>;
template <typename Field, typename Value>
  requires(!std::is_member_pointer_v<Field>)
SweepAxis(Field, std::initializer_list<Value>) -> SweepAxis<Field, Value>;

namespace detail {

/// The setting's field that a pointer to a member means.
template <Loss L, Optimizer O, typename Owner, typename Value>
Value& swept_field(SweepSetting<L, O>& setting, Value Owner::* field) {
  if constexpr (std::is_base_of_v<Owner, L>) {
    return setting.loss.*field;
  } else if constexpr (std::is_base_of_v<Owner, O>) {
    return setting.optimizer.*field;
  } else {
    static_assert(std::is_same_v<Owner, SweepSetting<L, O>>,
                  "retort: this axis is a field of neither the loss, the optimizer nor this SweepSetting: a field "
                  "further within is found by a function, SweepAxis{[](auto& setting) -> auto& { return "
                  "setting.loss.second.temperature; }, {1, 2}}");
    return setting.*field;
  }
}
/// The one that a function finds.
template <Loss L, Optimizer O, typename Function>
auto& swept_field(SweepSetting<L, O>& setting, const Function& function) {
  using Setting = SweepSetting<L, O>;
  static_assert(std::is_invocable_v<const Function&, Setting&>,
                "retort: an axis is a pointer to a field, or a function of this SweepSetting: [](auto& setting) -> "
                "auto& { return setting.loss.second.temperature; }");
  using Found = std::invoke_result_t<const Function&, Setting&>;
  static_assert(std::is_lvalue_reference_v<Found> && !std::is_const_v<std::remove_reference_t<Found>>,
                "retort: an axis's function returns a reference to the field: write -> auto&");
  return function(setting);
}

}  // namespace detail

/// Every combination of the axes' values in copies of `setting`; the last axis varies fastest. This makes 15 settings,
/// all seeds of a temperature one after another:
///
///     const auto settings = sweep_grid(SweepSetting<>{.optimizer = {.learning_rate = 5e-3}},
///                                      SweepAxis{&HintonLoss::temperature, {1, 2, 4}},
///                                      SweepAxis{&SweepSetting<>::seed, consecutive_seeds(5)});
template <Loss L, Optimizer O, typename... Axes>
std::vector<SweepSetting<L, O>> sweep_grid(const SweepSetting<L, O>& setting, const Axes&... axes) {
  std::vector<SweepSetting<L, O>> settings{setting};
  [[maybe_unused]] const auto vary = [&]<typename Field, typename Value>(const SweepAxis<Field, Value>& axis) {
    for (const SweepSetting<L, O>& one : std::exchange(settings, {})) {
      for (const Value& value : axis.values) {
        auto& field = detail::swept_field(settings.emplace_back(one), axis.field);
        static_assert(!std::is_integral_v<std::remove_reference_t<decltype(field)>> || !std::is_floating_point_v<Value>,
                      "retort: this axis's field is a whole number: expected such values");
        field = value;
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
