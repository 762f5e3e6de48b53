// SPDX-License-Identifier: MIT
// The index is the layer's own, and the width passes through layers without sizes.
// expect: shape_check::layer<3>::receives<20>::but_expects<30>

#include "retort/nn/dropout.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"

using Model = retort::Sequential<retort::Linear<784, 20>, retort::Dropout<0.5>, retort::ReLU, retort::LayerNorm<30>>;
static_assert(Model::layer_count == 4);
