// SPDX-License-Identifier: MIT
// A hint for a layer in the middle of a run of pointwise ones.
// expect: student_layer<1>::is_in_a_run_that_ends_with_layer<2>
// expect: retort: of a run of pointwise layers a training step keeps what leaves the last one

#include "retort/retort.hpp"

using Teacher = retort::Sequential<retort::Linear<8, 10>, retort::ReLU, retort::Linear<10, 3>>;
using Student = retort::Sequential<retort::Linear<8, 4>, retort::ReLU, retort::Dropout<0.1>, retort::Linear<4, 3>>;

void distil(const retort::Network<Teacher>& teacher, retort::Network<Student>& student) {
  retort::DistillationTrainer{teacher, student, retort::WithTerm{retort::HintonLoss{}, retort::Hint<1, 1>{}},
                              retort::Adam{}};
}
