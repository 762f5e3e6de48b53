// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A loss of one's own at work: the guide's page 5.

#include <retort/retort.hpp>

#include "../../tests/worked_examples/focal_loss.hpp"
#include "digits.hpp"

namespace guide {

inline void own_loss(const Digits& digits, const rt::backend::Eigen& cpu) {
  rt::Network<Teacher> teacher{rt::Seed{0}, cpu};
  teach(teacher, digits.train);
  report("teacher", teacher, digits);

  const auto learn = [&](const auto& loss) {
    rt::Network<Student> student{rt::Seed{1}, cpu};
    rt::DistillationTrainer{teacher, student, loss, adam}.fit(digits.few, recipe());
    report(rt::describe_settings(loss).c_str(), student, digits);
  };
  learn(rt::HintonLoss{.temperature = 4, .hard_weight = 0.3});
  learn(rt::WeightedLoss{0.3, worked_examples::FocalLoss{.gamma = 2}} + 0.7 * rt::HintonLoss{.hard_weight = 0});
}

}  // namespace guide
