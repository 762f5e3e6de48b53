// SPDX-License-Identifier: MIT
// A sweep of students with a hint, whose teachers may be of any model.
// expect: retort: a term on hidden layers: expected the teachers. model as Sweep.s last template parameter

#include <vector>

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>, retort::ReLU, retort::Linear<10, 3>>;
using Student = retort::Sequential<retort::Linear<8, 4>, retort::ReLU, retort::Linear<4, 3>>;
using Loss = retort::WithTerm<retort::HintonLoss, retort::Hint<1, 1>>;

void distil(const retort::Network<Teacher>& teacher) {
  using Setting = retort::SweepSetting<Loss>;
  const std::vector<Setting> settings(2);
  retort::Sweep<Student, retort::backend::Eigen, Loss>{teacher, settings, retort::backend::Eigen{2}};
}
