// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The students of a sweep.

#include "common/models.hpp"
#include "options.hpp"
#include "retort/train/sweep_models.hpp"

namespace sweep {

/// In the order of student_names.
using Students = retort::OneOfModels<examples::Perceptron<10>, examples::Student, examples::Pooled<64, 48>>;
static_assert(Students::count == student_names.size());

}  // namespace sweep
