// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Born-again networks: a student of the teacher's own kind, and a student of that student.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <retort/retort.hpp>
#include <span>
#include <string>
#include <vector>

#include "task.hpp"

namespace schemes {

/// Furlanello et al., "Born-Again Neural Networks", arXiv:1805.04770. Generation 0 learns from the labels alone; each
/// later one starts from new weights and learns from the one before it. Generation 1 is self-distillation. In the end
/// all generations answer together, by the mean of their probabilities.
inline void born_again(Task& task, std::uint64_t seed, const Student& alone) {
  constexpr std::size_t generations = 3;
  const auto answers_to_test = [&](const Student& network) { return rt::tabulate_logits(network, task.test); };

  Student parent = alone;  // a copy, with weights of its own
  std::vector<rt::data::TeacherLogitsTable> answers{answers_to_test(parent)};
  for (std::size_t generation = 1; generation <= generations; ++generation) {
    Student child{rt::Seed{1'000 * generation + 2 * seed + 1}, task.cpu()};
    distil(parent, child, task.recipe(seed), task.images);
    task.report("born again, generation " + rt::to_text(generation), child);
    answers.push_back(answers_to_test(child));
    parent = child;
  }

  const auto together = rt::data::ensemble_logits(answers, 1.0);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < task.test.size(); ++i) {
    const std::span<const float> logits = together.logits().row(i);
    const auto answer = std::max_element(logits.begin(), logits.end()) - logits.begin();
    wrong += static_cast<std::uint32_t>(answer) == task.test.labels()[i] ? 0u : 1u;
  }
  task.errors.add("born again, generations 0 to 3 together", static_cast<double>(wrong));
}

}  // namespace schemes
