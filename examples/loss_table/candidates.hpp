// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The rows of the table, each with the settings to choose from.

#include <cstddef>
#include <variant>
#include <vector>

#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/curriculum_temperature.hpp"
#include "retort/loss/dist.hpp"
#include "retort/loss/dkd.hpp"
#include "retort/loss/feature_loss.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/logit_matching.hpp"
#include "retort/loss/nkd.hpp"
#include "retort/loss/one_of_losses.hpp"
#include "retort/loss/rld.hpp"
#include "retort/loss/standardized_logits.hpp"
#include "retort/loss/swapped_logits.hpp"
#include "retort/loss/ttm.hpp"

namespace loss_table {

using SomeLoss =
    retort::OneOfLosses<retort::CrossEntropy, retort::HintonLoss, retort::LogitMatching, retort::Dkd, retort::Nkd,
                        retort::Ttm, retort::Rld, retort::StandardizedLogits<retort::HintonLoss>,
                        retort::SwappedLogits<retort::HintonLoss>, retort::CurriculumTemperature<retort::HintonLoss>>;

using DistLoss = retort::WithTerm<retort::CrossEntropy, retort::Dist>;

/// Whom the students of a row learn from.
enum class Source {
  teacher,
  assistant,  ///< a network of a size between, which has learnt from the teacher
  alone       ///< the student alone of the same seed
};

/// A loss or a scheme.
struct Candidate {
  const char* name;
  std::vector<std::variant<SomeLoss, DistLoss>> settings;
  Source source = Source::teacher;
};

/// The student alone first, which the others are compared with. `epochs` are those of a curriculum.
std::vector<Candidate> all_candidates(std::size_t epochs);

}  // namespace loss_table
