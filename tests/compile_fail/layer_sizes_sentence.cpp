// SPDX-License-Identifier: MIT
// The sentence that explains a layer that does not fit the one before it.
// expect: retort: a layer of this Sequential does not fit the one before it

#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

using Model = retort::Sequential<retort::Linear<784, 20>, retort::ReLU, retort::Linear<30, 10>>;
static_assert(Model::layer_count == 3);
