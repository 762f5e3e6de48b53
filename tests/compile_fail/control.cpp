// SPDX-License-Identifier: MIT
// The right counterpart of the mistakes beside it.
// expect success

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<784, 40>, retort::Dropout<0.5>, retort::ReLU, retort::Linear<40, 10>>;
using Student =
    retort::Sequential<retort::Linear<784, 20>, retort::LayerNorm<20>, retort::ReLU, retort::Linear<20, 10>>;
static_assert(Teacher::parameter_count == 784 * 40 + 40 + 40 * 10 + 10);

void distil(retort::Network<Teacher>& teacher, retort::Network<Student>& student) {
  retort::DistillationTrainer{teacher, student, retort::HintonLoss{}, retort::Adam{}};
}

float loss(const float* student, const float* teacher, float* gradient) {
  return retort::HintonLoss{}.row<10>(retort::StudentLogits<float>{student}, retort::TeacherLogits<float>{teacher}, 0u,
                                      1.0f, gradient);
}
