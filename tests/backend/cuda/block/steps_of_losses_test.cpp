// SPDX-License-Identifier: MIT
// Steps by one block, run on the host, with each loss of labels against steps made of single operations in double.

#include "steps_of_losses.hpp"
#include "backend/cuda/block/chosen_system.hpp"
#include "backend/generic/serial_system.hpp"
#include "catch.hpp"
#include "losses_of_labels.hpp"
#include "retort/backend/cuda/block/steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"

namespace {

using namespace retort;
using System = chosen::System<backend::block::ProductUnits::scalar>;
using Steps = backend::block::BlockSteps<test::OneLayer, float, System>;

TEST_CASE("A block's steps with each loss of labels are the steps of single operations", "[block]") {
  const backend::CudaOn<System> block;
  const backend::CudaOn<system::Serial> serial;
  test::for_each_loss_of_labels([&](const auto& loss) {
    test::check_steps_of_loss<float, Steps>(block, loss, test::steps_in_double(serial, loss));
  });
}

}  // namespace
