// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whether a table of logits fits the temperature of a loss.

#include "retort/core/hyperparameters.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/data/teacher_logits_table.hpp"
#include "retort/loss/loss.hpp"
#include "retort/loss/teacher_temperatures.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// Throws OptionError for a table of several teachers (data::ensemble_logits) that is their mean at another temperature
/// than that at which `loss` reads its teacher, or not at all of its temperatures, and for one beside a loss of
/// targets. Fits every loss: one teacher's table. Fit any table of classes: losses without a temperature, as
/// LogitMatching and StandardizedLogits, whose teacher is then the table as it is, at the temperature that was chosen
/// for it. A DistillationTrainer asks this when it begins; a program may ask before other work.
template <Loss L>
[[gnu::cold]] void require_temperature_for(const data::TeacherLogitsTable& table, const L& loss) {
  if (!table.temperature()) {
    return;
  }
  if constexpr (takes_targets<L>) {
    table.refuse_mean_for(describe_settings(loss), "takes targets, expected one teacher's outputs");
  } else if (const auto temperatures = teacher_temperatures(loss)) {
    table.require_mean_at(temperatures->lowest, temperatures->highest, describe_settings(loss));
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// What a training asks of a table before it begins, besides require_made_for: that it has what `loss` reads.
template <Loss L>
[[gnu::cold]] void require_table_for(const data::TeacherLogitsTable& table, const L& loss) {
  if constexpr (!takes_targets<L>) {
    table.require_logits();  // of data without classes too
  }
  require_temperature_for(table, loss);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
