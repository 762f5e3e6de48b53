// SPDX-License-Identifier: MIT
// Extents that do not fit, though there are as many elements.
// expect: shape_check::layer<2>::receives<3, 4, 2>::but_expects<3, 2, 4>
// expect: retort: a layer of this Sequential does not fit the one before it

#include "retort/nn/avg_pool2d.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/shape.hpp"

using retort::AvgPool2d;
using retort::Shape;
using Model = retort::Sequential<AvgPool2d<Shape<3, 8, 4>, 2>, retort::ReLU, AvgPool2d<Shape<3, 2, 4>, 2>>;
static_assert(Model::layer_count == 3);
