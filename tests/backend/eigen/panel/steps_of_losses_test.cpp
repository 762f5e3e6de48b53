// SPDX-License-Identifier: MIT
// Steps on panels with each loss of labels against steps made of Eigen's operations in double.

#include "steps_of_losses.hpp"
#include "catch.hpp"
#include "losses_of_labels.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/eigen/panel/steps.hpp"
#include "retort/loss/loss.hpp"

namespace {

using namespace retort;

template <typename Scalar>
using Steps = backend::panel::PanelSteps<test::OneLayer, Scalar>;

// With vectors of samples, and with the weights of classes sample by sample.
static_assert(takes_vectors<test::LossWithAllLabels> && takes_vectors<test::LossWithSomeLabels>);
static_assert(!takes_vectors<decltype(test::class_weighted)>);

TEST_CASE("Steps on panels with each loss of labels are the steps of Eigen's operations", "[panel]") {
  const backend::Eigen cpu{1u};
  test::for_each_loss_of_labels([&](const auto& loss) {
    const test::StepsOfLoss expected = test::steps_in_double(cpu, loss);
    test::check_steps_of_loss<float, Steps<float>>(cpu, loss, expected);
    test::check_steps_of_loss<double, Steps<double>>(cpu, loss, expected);
  });
}

}  // namespace
