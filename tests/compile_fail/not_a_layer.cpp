// SPDX-License-Identifier: MIT
// A type that is no layer: both compilers say which type, and which concept it does not satisfy.
// expect: Layer<Layers>.*constraints not satisfied|does not satisfy .Layer.
// expect: string

#include <string>

#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"

using Model = retort::Sequential<retort::Linear<8, 4>, std::string>;
static_assert(Model::layer_count == 2);
