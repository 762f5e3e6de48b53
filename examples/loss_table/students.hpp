// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The networks of the table.

#include "common/models.hpp"
#include "options.hpp"
#include "retort/train/sweep_models.hpp"

namespace loss_table {

/// Wider by the weights that its pooling saves.
using PooledStudent = examples::Pooled<64, 48>;
static_assert(PooledStudent::parameter_count == 16'218);

/// In the order of student_names.
using Students = retort::OneOfModels<examples::Student, PooledStudent>;
static_assert(Students::count == student_names.size());

/// Between the teacher and a student in size: 199,210 parameters.
using Assistant = examples::Perceptron<200>;

}  // namespace loss_table
