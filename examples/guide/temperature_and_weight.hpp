// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Choosing temperature and weight, and seeing that a teacher is too weak: the guide's page 4.

#include <cstddef>
#include <cstdio>
#include <retort/retort.hpp>

#include "digits.hpp"

namespace guide {

inline void temperature_and_weight(const Digits& digits, const rt::backend::Eigen& cpu) {
  rt::Network<Teacher> good{rt::Seed{0}, cpu};
  teach(good, digits.train);
  report("good teacher, of all images", good, digits);
  rt::Network<Teacher> weak{rt::Seed{0}, cpu};
  teach(weak, digits.few);
  report("weak teacher, of the student's images", weak, digits);

  using Setting = rt::SweepSetting<>;
  auto settings = rt::sweep_grid(Setting{.optimizer = adam}, rt::SweepAxis{&Setting::teacher, {0, 1}},
                                 rt::SweepAxis{&rt::HintonLoss::hard_weight, {0, 0.3, 0.6}},
                                 rt::SweepAxis{&rt::HintonLoss::temperature, {1, 2, 4, 8}},
                                 rt::SweepAxis{&Setting::seed, rt::consecutive_seeds(3)});
  for (const rt::Seed seed : rt::consecutive_seeds(3)) {  // a hard weight of 1 is the student alone
    settings.push_back({.loss = {.hard_weight = 1}, .optimizer = adam, .seed = seed});
  }
  const auto results = rt::Sweep<Student>{{good, weak}, settings, cpu}.fit(
      digits.few, digits.held_out, {.epochs = recipe().epochs, .schedule = recipe().schedule});

  std::printf("\nstudents' errors, means of 3 seeds   T = 1   T = 2   T = 4   T = 8");
  const auto summaries = rt::summarize(results);
  for (std::size_t i = 0; i + 1 < summaries.size(); ++i) {
    if (i % 4 == 0) {
      std::printf("\n%s teacher, hard weight %.1f       ", summaries[i].setting.teacher == 0 ? "good" : "weak",
                  summaries[i].setting.loss.hard_weight);
    }
    std::printf(" %7.0f", summaries[i].errors.mean);
  }
  std::printf("\nalone                               %8.0f\n", summaries.back().errors.mean);
}

}  // namespace guide
