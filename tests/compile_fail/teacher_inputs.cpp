// SPDX-License-Identifier: MIT
// A teacher and a student that are asked about different inputs.
// expect: teacher_of<8>::inputs_but_student_of<7>
// expect: retort: a teacher and its student must have the same number of inputs

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>>;
using Student = retort::Sequential<retort::Linear<7, 10>>;

void distil(retort::Network<Teacher>& teacher, retort::Network<Student>& student) {
  retort::DistillationTrainer{teacher, student, retort::HintonLoss{}, retort::Adam{}};
}
