// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The closing table.

#include <cstddef>
#include <string>
#include <vector>

#include "retort/loss/hinton.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/sweep_setting.hpp"
#include "retort/train/sweep_summary.hpp"

namespace sweep {

using Summary = retort::SweepSummary<retort::HintonLoss, retort::Adam>;

/// Whether they differ in their students.
bool has_several_students(const std::vector<Summary>& summaries);

/// "784-20-20-10, temperature 1, hard weight 0.3, lr 0.005".
std::string setting_text(const retort::SweepSetting<>& setting);

/// Fewest mean errors first and settings of which every run diverged last; of equal ones, in the order they came.
void sort_by_errors(std::vector<Summary>& summaries);

/// "3", or "2 of 3" where one diverged.
std::string seeds_text(const Summary& summary);

/// Prints one line for each setting.
void print_report(const std::vector<Summary>& summaries);

/// Prints a line about the errors on `images` test images of the students of one setting, at least one.
void print_test(const retort::SweepSetting<>& setting, const std::vector<double>& errors, std::size_t images);

}  // namespace sweep
