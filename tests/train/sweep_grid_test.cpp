// SPDX-License-Identifier: MIT
#include "retort/train/sweep_grid.hpp"

#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/weighted_sum.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/sgd.hpp"
#include "retort/optim/weight_average.hpp"

namespace {

using namespace retort;

TEST_CASE("A grid is all combinations, the last axis varying fastest", "[train]") {
  const SweepSetting<> base{.optimizer = {.learning_rate = 99, .beta1 = 0.5}, .teacher = 1};
  const auto settings =
      sweep_grid(base, SweepAxis{&HintonLoss::temperature, {1, 2}}, SweepAxis{&Adam::learning_rate, {1e-3, 1e-2}},
                 SweepAxis{&SweepSetting<>::seed, consecutive_seeds(3, 7)});
  REQUIRE(settings.size() == 12);
  for (const SweepSetting<>& setting : settings) {
    CHECK(setting.loss.hard_weight == HintonLoss{}.hard_weight);
    CHECK(setting.optimizer.beta1 == 0.5);
    CHECK(setting.teacher == 1);
  }
  CHECK(settings[0].loss == HintonLoss{.temperature = 1});
  CHECK(settings[0].optimizer == Adam{.learning_rate = 1e-3, .beta1 = 0.5});
  CHECK(settings[2].seed == Seed{9});
  CHECK(settings[2].weights_seed() == Seed{9});
  CHECK(settings[3].optimizer == Adam{.learning_rate = 1e-2, .beta1 = 0.5});
  CHECK(settings[3].seed == Seed{7});
  CHECK(settings[11].loss == HintonLoss{.temperature = 2});
}

TEST_CASE("A grid has any loss and optimizer, and axes of any type", "[train]") {
  using Setting = SweepSetting<CrossEntropy, Sgd>;
  const auto settings = sweep_grid(Setting{.optimizer = {.momentum = 0.9}}, SweepAxis{&Sgd::nesterov, {false, true}},
                                   SweepAxis{&CrossEntropy::label_smoothing, {0.0, 0.1}});
  REQUIRE(settings.size() == 4);
  CHECK(settings[2].optimizer == Sgd{.momentum = 0.9, .nesterov = true});
  CHECK(settings[3].loss == CrossEntropy{0.1});
  const auto averages = sweep_grid(SweepSetting<CrossEntropy, WeightAverage<Sgd>>{}, SweepAxis{&Sgd::momentum, {0.5}},
                                   SweepAxis{&WeightAverage<Sgd>::decay, {0.9, 0.99}});
  REQUIRE(averages.size() == 2);
  CHECK(averages[1].optimizer == WeightAverage{Sgd{.momentum = 0.5}, 0.99});
}

TEST_CASE("A function finds an axis's field within a loss, or anywhere", "[train]") {
  const auto sum = CrossEntropy{} + 0.5 * HintonLoss{.hard_weight = 0};
  using Setting = SweepSetting<std::remove_const_t<decltype(sum)>>;
  const std::vector<double> weights{0.5, 2};
  const auto settings =
      sweep_grid(Setting{.loss = sum},
                 SweepAxis{[](auto& setting) -> auto& { return setting.loss.second.loss.temperature; }, {1, 2}},
                 SweepAxis{[](Setting& setting) -> double& { return setting.loss.second.weight; }, weights},
                 SweepAxis{&Setting::seed, consecutive_seeds(2)});
  REQUIRE(settings.size() == 8);
  CHECK(settings[0].loss == CrossEntropy{} + 0.5 * HintonLoss{.temperature = 1, .hard_weight = 0});
  CHECK(settings[2].loss == CrossEntropy{} + 2.0 * HintonLoss{.temperature = 1, .hard_weight = 0});
  CHECK(settings[7].loss == CrossEntropy{} + 2.0 * HintonLoss{.temperature = 2, .hard_weight = 0});
  CHECK(settings[7].seed == Seed{1});

  const ClassWeighted weighted{HintonLoss{}, std::array{1.0, 2.0}};
  const auto heated =
      sweep_grid(SweepSetting<ClassWeighted<HintonLoss, 2>>{.loss = weighted},
                 SweepAxis{[](auto& setting) -> auto& { return setting.loss.loss().temperature; }, {3}});
  REQUIRE(heated.size() == 1);
  CHECK(heated[0].loss == ClassWeighted{HintonLoss{.temperature = 3}, std::array{1.0, 2.0}});
}

TEST_CASE("Losses of several types are an axis", "[train]") {
  using Chosen = OneOfLosses<CrossEntropy, HintonLoss>;
  using Setting = SweepSetting<Chosen>;
  const auto settings = sweep_grid(Setting{}, SweepAxis{&Setting::loss, {CrossEntropy{0.1}, HintonLoss{}}});
  REQUIRE(settings.size() == 2);
  CHECK(settings[0].loss == Chosen{CrossEntropy{0.1}});
  CHECK(settings[1].loss == Chosen{HintonLoss{}});
}

TEST_CASE("A grid without axes is the setting itself, and one without a value is empty", "[train]") {
  const auto settings = sweep_grid(SweepSetting<>{});
  REQUIRE(settings.size() == 1);
  CHECK(settings[0].loss == HintonLoss{});
  CHECK(settings[0].optimizer == Adam{});
  CHECK(sweep_grid(SweepSetting<>{}, SweepAxis{&HintonLoss::temperature, {}}).empty());
}

TEST_CASE("Settings that differ in seeds alone describe themselves alike", "[train]") {
  const SweepSetting<> setting{.loss = {.temperature = 2}, .seed = Seed{1}};
  SweepSetting<> other{.loss = {.temperature = 2}, .seed = Seed{2}, .initial_seed = Seed{3}};
  CHECK(other.weights_seed() == Seed{3});
  CHECK(setting.describe() == other.describe());
  other.teacher = 1;
  CHECK(setting.describe() != other.describe());
  CHECK(SweepSetting<>{.loss = {.temperature = 3}}.describe() != setting.describe());
  CHECK(SweepSetting<>{.loss = {.temperature = 2}, .optimizer = {.epsilon = 1e-7}}.describe() != setting.describe());
}

TEST_CASE("No student of a list without repeats is trained twice", "[train]") {
  const auto settings =
      sweep_grid(SweepSetting<>{}, SweepAxis{&HintonLoss::temperature, {1, 2, 2}},
                 SweepAxis{&HintonLoss::hard_weight, {1, 0.5}}, SweepAxis{&SweepSetting<>::seed, consecutive_seeds(2)});
  const auto once = without_repeats(settings);
  REQUIRE(once.size() == 6);
  for (const std::size_t i : {0u, 1u}) {
    CHECK(once[i].loss == HintonLoss{.temperature = 1, .hard_weight = 1});
    CHECK(once[2 + i].loss == HintonLoss{.temperature = 1, .hard_weight = 0.5});
    CHECK(once[4 + i].loss == HintonLoss{.temperature = 2, .hard_weight = 0.5});
    CHECK(once[4 + i].seed == Seed{i});
  }
  CHECK(without_repeats(once).size() == 6);
  // What differs in the initial weights, the teacher or the optimizer alone stays.
  const SweepSetting<> base;
  CHECK(without_repeats(std::vector{base, SweepSetting<>{.initial_seed = Seed{1}}, SweepSetting<>{.teacher = 1},
                                    SweepSetting<>{.optimizer = {.epsilon = 1e-7}}})
            .size() == 4);
  CHECK(without_repeats(std::vector{base, SweepSetting<>{.initial_seed = base.seed}}).size() == 1);
}

TEST_CASE("A student that reads no teacher is trained once for all teachers", "[train]") {
  const auto once = without_repeats(sweep_grid(SweepSetting<>{}, SweepAxis{&SweepSetting<>::teacher, {1, 0, 2}},
                                               SweepAxis{&HintonLoss::hard_weight, {1, 0.5}}));
  REQUIRE(once.size() == 4);
  CHECK(once[0].loss.hard_weight == 1);
  CHECK(once[0].teacher == 1);  // as it was given
  for (const std::size_t i : {1u, 2u, 3u}) {
    CHECK(once[i].loss.hard_weight == 0.5);
  }
  using OfLabels = SweepSetting<CrossEntropy>;
  CHECK(without_repeats(std::vector{OfLabels{}, OfLabels{.teacher = 1}}).size() == 1);
}

TEST_CASE("No student of a loss within others is trained twice", "[train]") {
  const auto once = [](auto loss, const auto& change) {
    std::vector<SweepSetting<decltype(loss)>> settings{{.loss = loss, .teacher = 1}};
    change(loss);
    settings.push_back({.loss = loss});
    return without_repeats(settings).size() == 1;
  };
  const HintonLoss alone{.hard_weight = 1};
  const auto heat = [](auto& loss) { loss.loss.temperature = 9; };
  CHECK(once(SwappedLogits{alone}, heat));
  CHECK(once(StandardizedLogits{alone}, heat));
  CHECK(once(2.0 * alone, heat));
  CHECK(once(LossAfter{alone, 3}, heat));
  CHECK(once(CurriculumTemperature{alone}, heat));
  CHECK(once(CurriculumTemperature{alone}, [](auto& loss) { loss.to = 9; }));
  CHECK(once(CrossEntropy{} + 0.0 * HintonLoss{}, [](auto& loss) { loss.second.loss.temperature = 9; }));
  CHECK(once(OneOfLosses<CrossEntropy, HintonLoss>{CrossEntropy{}}, [](auto&) {}));
  // The labels' share decides, so none of these is left out.
  const HintonLoss distilled{.hard_weight = 0.5};
  CHECK_FALSE(once(SwappedLogits{distilled}, heat));
  CHECK_FALSE(once(CurriculumTemperature{distilled}, [](auto& loss) { loss.to = 9; }));
  CHECK_FALSE(once(CrossEntropy{} + 0.5 * HintonLoss{}, [](auto&) {}));
}

}  // namespace
