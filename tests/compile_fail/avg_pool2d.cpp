// SPDX-License-Identifier: MIT
// Images that do not fall into squares, squares of nothing, and no image at all.
// expect: AvgPool2d<retort.*Shape<3, 28, 27>, 2>
// expect: AvgPool2d<retort.*Shape<1, 27, 28>, 2>
// expect: AvgPool2d<retort.*Shape<1, 4, 4>, 0>
// expect: retort: an AvgPool2d<Shape<Channels, Rows, Columns>, K> cuts channels into squares of K x K
// expect: AvgPool2d<retort.*Shape<784>, 2>
// expect: retort: an AvgPool2d<Shape<Channels, Rows, Columns>, K> takes three extents

#include "retort/nn/avg_pool2d.hpp"

using retort::AvgPool2d;
using retort::Shape;
static_assert(AvgPool2d<Shape<3, 28, 27>, 2>::flops == 0);
static_assert(AvgPool2d<Shape<1, 27, 28>, 2>::flops == 0);
static_assert(AvgPool2d<Shape<1, 4, 4>, 0>::flops == 0);
static_assert(sizeof(AvgPool2d<Shape<784>, 2>) > 0);
