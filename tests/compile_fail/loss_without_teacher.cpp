// SPDX-License-Identifier: MIT
// A loss that compares with a teacher, for a trainer that has none.
// expect: retort: this loss compares with a teacher; train with a DistillationTrainer

#include "retort/retort.hpp"

using Model = retort::Sequential<retort::Linear<8, 4>>;

void train(retort::Network<Model>& network) { retort::Trainer{network, retort::HintonLoss{}, retort::Adam{}}; }
