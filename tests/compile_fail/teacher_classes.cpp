// SPDX-License-Identifier: MIT
// A teacher and a student that answer with different numbers of classes.
// expect: teacher_with<10>::classes_but_student_with<5>
// expect: retort: a teacher and its student must have the same number of classes

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>>;
using Student = retort::Sequential<retort::Linear<8, 5>>;

void distil(retort::Network<Teacher>& teacher, retort::Network<Student>& student) {
  retort::DistillationTrainer{teacher, student, retort::HintonLoss{}, retort::Adam{}};
}
