// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The networks of the table.

#include "common/models.hpp"
#include "options.hpp"
#include "retort/nn/avg_pool2d.hpp"
#include "retort/train/sweep_models.hpp"

namespace loss_table {

/// The mean of each 2 x 2 pixels in front, and with the weights that this saves a wider net.
using PooledStudent = retort::Sequential<retort::AvgPool2d<retort::Shape<1, 28, 28>, 2>,  //
                                         retort::Linear<196, 64>, retort::ReLU,           //
                                         retort::Linear<64, 48>, retort::ReLU, retort::Linear<48, 10>>;
static_assert(PooledStudent::parameter_count == 16'218);

/// In the order of student_names.
using Students = retort::OneOfModels<examples::Student, PooledStudent>;
static_assert(Students::count == student_names.size());

/// Between the teacher and a student in size: 199,210 parameters.
using Assistant = examples::Perceptron<200>;

}  // namespace loss_table
