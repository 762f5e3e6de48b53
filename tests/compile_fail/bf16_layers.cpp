// SPDX-License-Identifier: MIT
// Mixed precision for a model that it does not know.
// expect: retort: backend::EigenBf16 trains models of Linear and pointwise layers; this one has others

#include "retort/backend/eigen/bf16.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/trainer.hpp"

using Model = retort::Sequential<retort::Linear<4, 3>, retort::LayerNorm<3>, retort::Linear<3, 2>>;

void train(retort::Network<Model, retort::backend::EigenBf16>& network) {
  retort::Trainer{network, retort::CrossEntropy{}, retort::Adam{}};
}
