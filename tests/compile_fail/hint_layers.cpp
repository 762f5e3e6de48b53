// SPDX-License-Identifier: MIT
// Hints that name a layer which the teacher, or the student, does not have.
// expect: retort: a term on features takes a layer that the teacher has
// expect: retort: a term on features takes a hidden layer of the student

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>, retort::ReLU, retort::Linear<10, 3>>;
using Student = retort::Sequential<retort::Linear<8, 4>, retort::ReLU, retort::Linear<4, 3>>;

template <typename Hint>
void distil(const retort::Network<Teacher>& teacher, retort::Network<Student>& student, Hint hint) {
  retort::DistillationTrainer{teacher, student, retort::WithTerm{retort::HintonLoss{}, hint}, retort::Adam{}};
}

void distil_both(const retort::Network<Teacher>& teacher, retort::Network<Student>& student) {
  distil(teacher, student, retort::Hint<1, 3>{});
  distil(teacher, student, retort::Hint<3, 1>{});
}
