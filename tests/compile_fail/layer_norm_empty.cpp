// SPDX-License-Identifier: MIT
// A normalisation of nothing.
// expect: retort: a LayerNorm<N> layer needs at least one feature

#include "retort/nn/layer_norm.hpp"

static_assert(retort::LayerNorm<0>::input_size == 0);
