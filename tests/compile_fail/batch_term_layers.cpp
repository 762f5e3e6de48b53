// SPDX-License-Identifier: MIT
// Terms on batches that name a layer which the teacher does not have, take the teacher's for the student's, and pool
// units of which there are too few.
// expect: retort: a term on features takes a layer that the teacher has
// expect: retort: a term on features takes a hidden layer of the student
// expect: retort: ActivationProfile pools the teacher's units: expected a layer of the teacher that is as wide

#include "retort/retort.hpp"

using Teacher =
    retort::Sequential<retort::Linear<8, 10>, retort::ReLU, retort::Linear<10, 3>, retort::Tanh, retort::Linear<3, 3>>;
using Student = retort::Sequential<retort::Linear<8, 4>, retort::ReLU, retort::Linear<4, 3>>;

template <typename Term>
void distil(const retort::Network<Teacher>& teacher, retort::Network<Student>& student, Term term) {
  retort::DistillationTrainer{teacher, student, retort::WithTerm{retort::CrossEntropy{}, term}, retort::Adam{}};
}

void distil_all(const retort::Network<Teacher>& teacher, retort::Network<Student>& student) {
  distil(teacher, student, retort::Relational<1, 5>{});
  distil(teacher, student, retort::SimilarityPreserving<3, 1>{});
  distil(teacher, student, retort::ActivationProfile<1, 3>{});
}
