// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The closing table.

#include <string>
#include <vector>

#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/sweep_summary.hpp"

namespace sweep {

using Summary = retort::SweepSummary<retort::HintonLoss, retort::Adam>;

/// Fewest mean errors first and settings of which every run diverged last; of equal ones, in the order they came.
void sort_by_errors(std::vector<Summary>& summaries);

/// "3", or "2 of 3" where one diverged.
std::string seeds_text(const Summary& summary);

/// Prints one line for each setting.
void print_report(const std::vector<Summary>& summaries);

}  // namespace sweep
