// SPDX-License-Identifier: MIT
// A rate below 0.
// expect: retort: the rate of a Dropout<Rate> layer must be in .0, 1

#include "retort/nn/dropout.hpp"

static_assert(retort::Dropout<-0.1>::rate < 0.0);
