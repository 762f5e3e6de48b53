// SPDX-License-Identifier: MIT
// A model whose sizes nobody states.
// expect: retort: a Sequential needs a layer with sizes

#include "retort/nn/dropout.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

static_assert(retort::Sequential<retort::ReLU, retort::Dropout<0.5>>::layer_count == 2);
