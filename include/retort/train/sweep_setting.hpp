// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What one student of a sweep is trained with.

#include <cstddef>
#include <optional>
#include <string>

#include "retort/core/instruction_set.hpp"
#include "retort/core/philox.hpp"
#include "retort/core/text.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/loss.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/optimizer.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// One student: what a trainer is given, and a seed. All hyperparameters are values at run time; the students of a
/// sweep differ in them, not in their types.
template <Loss L = HintonLoss, Optimizer O = Adam>
struct SweepSetting {
  L loss{};
  O optimizer{};
  Seed seed{};                         ///< of shuffling, dropout and augmentation, and of the initial weights
  std::optional<Seed> initial_seed{};  ///< of the initial weights, where they have another
  std::size_t teacher = 0;             ///< which of the sweep's teachers, from 0; not read by a loss without one

  Seed weights_seed() const { return initial_seed.value_or(seed); }

  /// Everything but the seeds: equal for students that differ in nothing else.
  std::string describe() const {
    std::string text = describe_settings(loss) + ", " + describe_settings(optimizer);
    if (teacher != 0) {
      text += ", teacher " + to_text(teacher);
    }
    return text;
  }
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
