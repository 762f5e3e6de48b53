// SPDX-License-Identifier: MIT
// Sweeps with a hint whose teachers have no layer to compare: a table of logits, and a network of another model.
// expect: retort: a sweep whose last template parameter is the teachers. model takes networks, not tables of logits
// expect: retort: a sweep's teachers are networks of the model that is its last template parameter

#include <vector>

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>, retort::ReLU, retort::Linear<10, 3>>;
using Wider = retort::Sequential<retort::Linear<8, 20>, retort::ReLU, retort::Linear<20, 3>>;
using Student = retort::Sequential<retort::Linear<8, 4>, retort::ReLU, retort::Linear<4, 3>>;
using Loss = retort::WithTerm<retort::HintonLoss, retort::Hint<1, 1>>;
using Sweep = retort::Sweep<Student, retort::backend::Eigen, Loss, retort::Adam, float, Teacher>;

void distil(const retort::data::TeacherLogitsTable& table, const std::vector<retort::SweepSetting<Loss>>& settings) {
  Sweep{table, settings, retort::backend::Eigen{2}};
}
void distil(const retort::Network<Wider>& teacher, const std::vector<retort::SweepSetting<Loss>>& settings) {
  Sweep{teacher, settings, retort::backend::Eigen{2}};
}
