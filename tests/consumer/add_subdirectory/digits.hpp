// SPDX-License-Identifier: MIT
#pragma once
#include <retort/retort.hpp>

using Teacher = retort::Sequential<retort::Linear<784, 40>, retort::ReLU, retort::Linear<40, 10>>;
using Student = retort::Sequential<retort::Linear<784, 8>, retort::ReLU, retort::Linear<8, 10>>;

RETORT_EXTERN_NETWORK(Teacher);
RETORT_EXTERN_NETWORK(Student);
RETORT_EXTERN_TRAINER(Teacher, retort::CrossEntropy, retort::Adam);
RETORT_EXTERN_DISTILLATION(Teacher, Student, retort::HintonLoss, retort::Adam);
