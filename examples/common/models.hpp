// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The two networks of the programs on MNIST.

#include "retort/nn/dropout.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

namespace examples {

using Teacher = retort::Sequential<retort::Linear<784, 1200>, retort::Dropout<0.5>, retort::ReLU,   //
                                   retort::Linear<1200, 1200>, retort::Dropout<0.5>, retort::ReLU,  //
                                   retort::Linear<1200, 10>>;

using Student = retort::Sequential<retort::Linear<784, 20>, retort::ReLU,  //
                                   retort::Linear<20, 20>, retort::ReLU,   //
                                   retort::Linear<20, 10>>;

static_assert(Teacher::parameter_count == 2'395'210);
static_assert(Student::parameter_count == 16'330);

}  // namespace examples
