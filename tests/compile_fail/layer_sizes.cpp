// SPDX-License-Identifier: MIT
// A layer that does not fit the one before it.
// expect: shape_check::layer<1>::receives<20>::but_expects<30>
// expect: a layer of this Sequential does not fit the one before it

#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"

using Model = retort::Sequential<retort::Linear<784, 20>, retort::Linear<30, 10>>;
static_assert(Model::layer_count == 2);
