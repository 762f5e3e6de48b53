// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The losses of labels, each alone, for the tests that compare backends and engines: in few types, so that each of
/// these compiles few losses, and of a size at which float and double differ by little.

#include <array>

#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/logit_matching.hpp"
#include "retort/loss/loss_after.hpp"
#include "retort/loss/nkd.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/ttm.hpp"
#include "retort/loss/weighted_sum.hpp"

namespace retort::test {

using LossWithAllLabels = OneOfLosses<Dkd, Nkd, Rld, SumOfLosses<WeightedLoss<Nkd>, WeightedLoss<HintonLoss>>>;

/// Those that learn from samples without a label too.
using LossWithSomeLabels = OneOfLosses<Ttm, LogitMatching, StandardizedLogits<HintonLoss>, SwappedLogits<HintonLoss>,
                                       CurriculumTemperature<HintonLoss>, LossAfter<HintonLoss>>;

/// In two epochs those that change do.
inline constexpr std::array losses_with_all_labels{
    LossWithAllLabels{Dkd{.temperature = 2.0, .alpha = 0.5, .beta = 2.0, .label_weight = 0.7, .warmup_epochs = 2}},
    LossWithAllLabels{Nkd{.temperature = 2.0, .label_weight = 0.7}},
    LossWithAllLabels{Rld{.temperature = 2.0, .alpha = 0.5, .beta = 2.0, .label_weight = 0.7, .warmup_epochs = 2}},
    LossWithAllLabels{0.5 * Nkd{} + 0.25 * HintonLoss{}}};
inline constexpr std::array losses_with_some_labels{
    LossWithSomeLabels{Ttm{.exponent = 0.4, .beta = 2.0}},
    LossWithSomeLabels{Ttm{.exponent = 0.4, .beta = 2.0, .weighted = true}},
    LossWithSomeLabels{LogitMatching{.hard_weight = 0.6}},
    LossWithSomeLabels{StandardizedLogits{HintonLoss{.temperature = 2.0}}},
    LossWithSomeLabels{SwappedLogits{HintonLoss{.temperature = 2.0}}},
    LossWithSomeLabels{CurriculumTemperature{HintonLoss{.temperature = 3.0}, 1.0, 3.0, 2}},
    LossWithSomeLabels{LossAfter{HintonLoss{.temperature = 2.0}, 0}},
    LossWithSomeLabels{LossAfter{HintonLoss{.temperature = 2.0}, 1, CrossEntropy{.label_smoothing = 0.1}}}};

/// Of ten classes, of which one is left out.
inline constexpr ClassWeighted class_weighted{HintonLoss{.temperature = 2.0},
                                              std::array{0.5, 1.5, 0.25, 2.0, 0.0, 1.0, 0.75, 1.25, 0.5, 2.25}};

/// check(loss) for each.
void for_each_loss_of_labels(const auto& check) {
  for (const LossWithAllLabels& loss : losses_with_all_labels) {
    check(loss);
  }
  for (const LossWithSomeLabels& loss : losses_with_some_labels) {
    check(loss);
  }
  check(class_weighted);
}

}  // namespace retort::test
