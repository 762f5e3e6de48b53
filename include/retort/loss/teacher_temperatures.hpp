// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The temperatures at which a loss reads its teacher.

#include <algorithm>
#include <optional>

#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// From the lowest to the highest temperature T at which softmax(t / T) of a teacher's logits t is taken.
struct TeacherTemperatures {
  double lowest = 1.0;
  double highest = 1.0;

  friend bool operator==(const TeacherTemperatures&, const TeacherTemperatures&) = default;
};

/// Those of either part of a loss.
constexpr std::optional<TeacherTemperatures> temperatures_of_both(const std::optional<TeacherTemperatures>& first,
                                                                  const std::optional<TeacherTemperatures>& second) {
  if (!first || !second) {
    return first ? first : second;
  }
  return TeacherTemperatures{std::min(first->lowest, second->lowest), std::max(first->highest, second->highest)};
}

/// At which temperatures a loss, or a term of one, reads its teacher in all of a training:
/// `loss.teacher_temperatures()` if it has that, else its member `temperature`, if it has that. Nothing for a loss that
/// reads no teacher, or none of its probabilities. A loss that holds others calls this for them.
template <typename L>
constexpr std::optional<TeacherTemperatures> teacher_temperatures(const L& loss) {
  constexpr bool reads_none = requires { requires !L::needs_teacher; };
  if constexpr (!reads_none && requires { loss.teacher_temperatures(); }) {
    return loss.teacher_temperatures();
  } else if constexpr (!reads_none && requires { double{loss.temperature}; }) {
    return TeacherTemperatures{loss.temperature, loss.temperature};
  } else {
    return std::nullopt;
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
