// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Teacher assistants: networks of sizes between teacher and student pass its answers on.

#include <cstdint>
#include <retort/retort.hpp>

#include "task.hpp"

namespace schemes {

/// Mirzadeh et al., "Improved Knowledge Distillation via Teacher Assistant", arXiv:1902.03393: where the teacher is
/// much larger than the student, one of a size between learns from the teacher, and the student from that one. A chain
/// may have several: here hidden layers of 1200, 200, 60 and 20 units.
inline void teacher_assistant(Task& task, std::uint64_t seed) {
  const rt::FitOptions options = task.recipe(seed);
  Perceptron<200> first{rt::Seed{2 * seed + 1}, task.cpu()};
  distil(task.teacher, first, options, task.images);
  task.report("assistant of 200 units, from the teacher", first);

  Student student{rt::Seed{2 * seed + 1}, task.cpu()};
  distil(first, student, options, task.images);
  task.report("student of the assistant of 200", student);

  Perceptron<60> second{rt::Seed{2 * seed + 1}, task.cpu()};
  distil(first, second, options, task.images);
  task.report("assistant of 60 units, from that of 200", second);

  Student last{rt::Seed{2 * seed + 1}, task.cpu()};
  distil(second, last, options, task.images);
  task.report("student of the assistant of 60", last);
}

}  // namespace schemes
