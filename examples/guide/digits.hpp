// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What all of the guide's programs use: the networks, the recipe, and who counts errors.

#include <cstddef>
#include <cstdio>
#include <retort/retort.hpp>

#include "common/models.hpp"

namespace guide {

namespace rt = retort;

using Teacher = rt::Sequential<rt::Linear<784, 400>, rt::ReLU, rt::Linear<400, 400>, rt::ReLU, rt::Linear<400, 10>>;
using Student = examples::Student;

struct Digits {
  rt::data::Dataset train;     // all images that may be learnt from
  rt::data::Dataset few;       // those that a student has
  rt::data::Dataset held_out;  // nobody learns from them
};

constexpr rt::Adam adam{.learning_rate = 5e-3};

/// Of a student's training.
inline rt::FitOptions recipe() {
  return {.epochs = 60, .seed = rt::Seed{1}, .schedule = rt::LinearWarmup{.steps = 800, .then = rt::CosineSchedule{}}};
}

template <typename Network>
void report(const char* name, const Network& network, const Digits& digits) {
  std::printf("%5zu of %zu wrong: %s\n", rt::evaluate(network, digits.held_out).errors, digits.held_out.size(), name);
  std::fflush(stdout);
}

/// Trains a teacher on `images`.
inline void teach(rt::Network<Teacher>& teacher, const rt::data::Dataset& images) {
  rt::Trainer{teacher, rt::CrossEntropy{}, rt::Adam{.learning_rate = 1e-3}}.fit(
      images, {.epochs = 4, .schedule = rt::LinearWarmup{.steps = 400, .then = rt::CosineSchedule{}}});
}

}  // namespace guide
