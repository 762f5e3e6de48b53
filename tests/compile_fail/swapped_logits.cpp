// SPDX-License-Identifier: MIT
// The teacher's logits where the student's belong.
// expect: TeacherLogits<float>.* is not derived from .*StudentLogits|could not match .StudentLogits. against
// .retort::TeacherLogits.

#include "retort/loss/hinton.hpp"

float loss(const float* student, const float* teacher, float* gradient) {
  return retort::HintonLoss{}.row<10>(retort::TeacherLogits<float>{teacher}, retort::StudentLogits<float>{student}, 0u,
                                      1.0f, gradient);
}
