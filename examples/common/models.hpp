// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The networks of the programs on MNIST.

#include <cstddef>

#include "retort/nn/dropout.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

namespace examples {

using Teacher = retort::Sequential<retort::Linear<784, 1200>, retort::Dropout<0.5>, retort::ReLU,   //
                                   retort::Linear<1200, 1200>, retort::Dropout<0.5>, retort::ReLU,  //
                                   retort::Linear<1200, 10>>;

/// Two hidden layers of `Width` units.
template <std::size_t Width>
using Perceptron = retort::Sequential<retort::Linear<784, Width>, retort::ReLU,    //
                                      retort::Linear<Width, Width>, retort::ReLU,  //
                                      retort::Linear<Width, 10>>;
using Student = Perceptron<20>;

static_assert(Teacher::parameter_count == 2'395'210);
static_assert(Student::parameter_count == 16'330);

}  // namespace examples
