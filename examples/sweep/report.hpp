// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The closing table.

#include <vector>

#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/sweep_summary.hpp"

namespace sweep {

using Summary = retort::SweepSummary<retort::HintonLoss, retort::Adam>;

/// Prints one line for each setting, in the order given or by mean errors; what diverged altogether comes last then.
/// "2 of 3" seeds are those that did not diverge.
void print_report(std::vector<Summary> summaries, bool best_first);

}  // namespace sweep
