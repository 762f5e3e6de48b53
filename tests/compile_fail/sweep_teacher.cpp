// SPDX-License-Identifier: MIT
// Sweeps of students with another number of inputs than their teacher's, with other numbers, or on another backend.
// expect: teacher_of<8>::inputs_but_student_of<6>
// expect: retort: a teacher and its student must have the same number of inputs
// expect: retort: a sweep's teachers have numbers of the sweep's type, float or double
// expect: retort: a sweep's teachers have the backend of the sweep

#include "retort/backend/eigen/bf16.hpp"
#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>>;
using Student = retort::Sequential<retort::Linear<6, 10>>;

void distil(const retort::Network<Teacher>& teacher) {
  retort::Sweep<Student>{teacher, retort::sweep_grid(retort::SweepSetting<>{}), retort::backend::Eigen{2}};
}

void distil_in_double(const retort::Network<Teacher>& teacher) {
  using Sweep = retort::Sweep<Teacher, retort::backend::Eigen, retort::HintonLoss, retort::Adam, double>;
  Sweep{teacher, retort::sweep_grid(retort::SweepSetting<>{}), retort::backend::Eigen{2}};
}

void distil_on_another_backend(const retort::Network<Teacher, retort::backend::EigenBf16>& teacher) {
  using Sweep = retort::Sweep<Teacher, retort::backend::Eigen, retort::HintonLoss, retort::Adam, float, Teacher>;
  Sweep{teacher, retort::sweep_grid(retort::SweepSetting<>{}), retort::backend::Eigen{2}};
}
