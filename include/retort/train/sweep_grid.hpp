// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The settings of a sweep as all combinations of a few lists.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/sweep_setting.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

namespace detail {

template <typename Visit>
void for_each_combination(const Visit& visit) {
  visit();
}

template <typename Visit, typename Values, typename... Others>
void for_each_combination(const Visit& visit, const std::vector<Values>& values, const std::vector<Others>&... others) {
  for (const Values& value : values) {
    for_each_combination([&](const Others&... rest) { visit(value, rest...); }, others...);
  }
}

}  // namespace detail

/// make(a, b, ...) for every a of the first list with every b of the second, ...; the last list varies fastest. For
/// whatever is to be swept over:
///
///     const auto make = [](double smoothing, Seed seed) {
///       return SweepSetting<CrossEntropy, Sgd>{.loss = {.label_smoothing = smoothing}, .seed = seed};
///     };
///     const auto settings = sweep_grid(make, std::vector{0.0, 0.1}, consecutive_seeds(5));
template <typename Make, typename... Values>
std::vector<std::invoke_result_t<const Make&, const Values&...>> sweep_grid(const Make& make,
                                                                            const std::vector<Values>&... lists) {
  std::vector<std::invoke_result_t<const Make&, const Values&...>> settings;
  detail::for_each_combination([&](const Values&... values) { settings.push_back(make(values...)); }, lists...);
  return settings;
}

/// Seeds first, first + 1, ..., `count` of them.
inline std::vector<Seed> consecutive_seeds(std::size_t count, std::uint64_t first = 0) {
  std::vector<Seed> seeds(count);
  for (std::size_t i = 0; i < count; ++i) {
    seeds[i] = Seed{first + i};
  }
  return seeds;
}

/// What is most often swept over. These are 15 settings, the seeds of a temperature one after another:
///
///     const auto settings = SweepGrid{.temperatures = {1, 2, 4}, .seeds = consecutive_seeds(5)}.settings();
struct SweepGrid {
  std::vector<double> temperatures{HintonLoss{}.temperature};
  std::vector<double> hard_weights{HintonLoss{}.hard_weight};
  std::vector<double> learning_rates{Adam{}.learning_rate};
  std::vector<Seed> seeds{Seed{}};
  Adam optimizer{};  ///< its other hyperparameters

  std::vector<SweepSetting<>> settings() const {
    return sweep_grid(
        [&](double temperature, double hard_weight, double learning_rate, Seed seed) {
          SweepSetting<> setting{
              .loss = {.temperature = temperature, .hard_weight = hard_weight}, .optimizer = optimizer, .seed = seed};
          setting.optimizer.learning_rate = learning_rate;
          return setting;
        },
        temperatures, hard_weights, learning_rates, seeds);
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
