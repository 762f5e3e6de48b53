// SPDX-License-Identifier: MIT
#include "retort/train/sweep_grid.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

namespace {

using namespace retort;

TEST_CASE("A grid is all combinations, the last list varying fastest", "[train]") {
  const auto words = sweep_grid([](char a, int b, const std::string& c) { return a + std::to_string(b) + c; },
                                std::vector{'x', 'y'}, std::vector{1, 2}, std::vector<std::string>{"k", "l", "m"});
  CHECK(words == std::vector<std::string>{"x1k", "x1l", "x1m", "x2k", "x2l", "x2m",  //
                                          "y1k", "y1l", "y1m", "y2k", "y2l", "y2m"});
  CHECK(sweep_grid([](int a, int b) { return a + b; }, std::vector{1}, std::vector<int>{}).empty());
}

TEST_CASE("The usual grid varies temperature, hard weight, learning rate and seed", "[train]") {
  const auto settings = SweepGrid{.temperatures = {1, 2},
                                  .hard_weights = {0.5},
                                  .learning_rates = {1e-3, 1e-2},
                                  .seeds = consecutive_seeds(3, 7),
                                  .optimizer = {.learning_rate = 99, .beta1 = 0.5}}
                            .settings();
  REQUIRE(settings.size() == 12);
  CHECK(settings[0].loss == HintonLoss{.temperature = 1, .hard_weight = 0.5});
  CHECK(settings[0].optimizer == Adam{.learning_rate = 1e-3, .beta1 = 0.5});
  CHECK(settings[2].seed == Seed{9});
  CHECK(settings[2].weights_seed() == Seed{9});
  CHECK(settings[3].optimizer == Adam{.learning_rate = 1e-2, .beta1 = 0.5});
  CHECK(settings[3].seed == Seed{7});
  CHECK(settings[11].loss == HintonLoss{.temperature = 2, .hard_weight = 0.5});

  REQUIRE(SweepGrid{}.settings().size() == 1);
  CHECK(SweepGrid{}.settings()[0].loss == HintonLoss{});
  CHECK(SweepGrid{}.settings()[0].optimizer == Adam{});
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

}  // namespace
