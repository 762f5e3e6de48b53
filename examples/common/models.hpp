// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The networks of the programs on MNIST.

#include <cstddef>

#include "retort/nn/avg_pool2d.hpp"
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

/// The mean of each 2 x 2 pixels in front: a quarter of the first layer's weights.
template <std::size_t First, std::size_t Second>
using Pooled = retort::Sequential<retort::AvgPool2d<retort::Shape<1, 28, 28>, 2>,  //
                                  retort::Linear<196, First>, retort::ReLU,        //
                                  retort::Linear<First, Second>, retort::ReLU, retort::Linear<Second, 10>>;

static_assert(Teacher::parameter_count == 2'395'210);
static_assert(Student::parameter_count == 16'330);

}  // namespace examples
