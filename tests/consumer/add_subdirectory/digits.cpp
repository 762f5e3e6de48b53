// SPDX-License-Identifier: MIT
#include "digits.hpp"

RETORT_INSTANTIATE_NETWORK(Teacher);
RETORT_INSTANTIATE_NETWORK(Student);
RETORT_INSTANTIATE_TRAINER(Teacher, retort::CrossEntropy, retort::Adam);
RETORT_INSTANTIATE_DISTILLATION(Teacher, Student, retort::HintonLoss, retort::Adam);
