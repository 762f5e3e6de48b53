// SPDX-License-Identifier: MIT
// Losses that rank the classes beside the label's, for a model of two classes.
// expect: retort: Dkd ranks the classes beside the label's: expected a model of three classes or more
// expect: retort: Nkd ranks the classes beside the label's: expected a model of three classes or more
// expect: retort: Rld ranks the classes beside the label's: expected a model of three classes or more
// expect: retort: StandardizedLogits leaves of two logits their order alone: expected a model of three classes or more

#include "retort/retort.hpp"

float loss(retort::StudentLogits<float> student, retort::TeacherLogits<float> teacher, float* gradient) {
  return retort::Dkd{}.row<2>(student, teacher, 0u, 1.0f, gradient) +
         retort::Nkd{}.row<2>(student, teacher, 0u, 1.0f, gradient) +
         retort::Rld{}.row<2>(student, teacher, 0u, 1.0f, gradient) +
         retort::StandardizedLogits<retort::HintonLoss>{}.row<2>(student, teacher, 0u, 1.0f, gradient);
}
