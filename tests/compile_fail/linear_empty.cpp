// SPDX-License-Identifier: MIT
// A layer without inputs.
// expect: retort: a Linear<In, Out> layer needs at least one input and one output

#include "retort/nn/linear.hpp"

static_assert(retort::Linear<0, 10>::output_size == 10);
