// SPDX-License-Identifier: MIT
// Dropping everything.
// expect: retort: the rate of a Dropout<Rate> layer must be in .0, 1

#include "retort/nn/dropout.hpp"

static_assert(retort::Dropout<1.0>::rate == 1.0);
