// SPDX-License-Identifier: MIT
// A normalisation of nothing.
// expect: retort: a BatchNorm<N> layer needs at least one feature

#include "retort/nn/batch_norm.hpp"

static_assert(retort::BatchNorm<0>::input_size == 0);
