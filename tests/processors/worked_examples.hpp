// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The layer, the loss and the optimizer of CONTRIBUTING.md on panels, whose vectors each processor has its own of. The
/// rest of tests/worked_examples does not depend on the processor.

#include "catch.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/train/trainer.hpp"
#include "small_datasets.hpp"
#include "worked_examples/amsgrad.hpp"
#include "worked_examples/focal_loss.hpp"
#include "worked_examples/softplus.hpp"

namespace {

TEST_CASE("A layer, a loss and an optimizer of one's own train on panels", "[worked_examples]") {
  using namespace retort;
  using namespace worked_examples;
  Network<Sequential<Linear<12, 8>, Softplus, Linear<8, 3>>> network{Seed{1}};
  Trainer trainer{network, FocalLoss{}, AmsGrad{.learning_rate = 1e-2}};
  CHECK(trainer.describe() == "panels in float");
  const History history = trainer.fit(test::clouds(90, 12, 3, 1), {.epochs = 20, .batch_size = 16});
  CHECK(history.back().loss < 0.5 * history.front().loss);
  CHECK(history.back().accuracy > 0.9);
}

}  // namespace
