// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Steps of one layer with each loss of labels, by an engine and by single operations in double.

#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "losses_of_labels.hpp"
#include "retort/backend/arguments.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/core/hyperparameters.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/sgd.hpp"
#include "same_steps.hpp"
#include "train_steps.hpp"

namespace retort::test {

using OneLayer = Sequential<Linear<10, 10>>;

struct StepsOfLoss {
  std::vector<double> parameters;
  backend::LossSum sum;
};

/// On full vectors of samples and one that is not, twice: a loss may change from epoch to epoch.
template <typename Scalar, typename Steps, typename Backend, typename L>
StepsOfLoss steps_of_loss(const Backend& backend, const L& loss) {
  StepsOfLoss result;
  result.parameters = train_steps<OneLayer, Scalar, Steps>(backend, {.samples = 37, .epochs = 2}, loss,
                                                           Sgd{.learning_rate = 0.1}, result.sum);
  return result;
}

template <typename Backend, typename L>
StepsOfLoss steps_in_double(const Backend& backend, const L& loss) {
  return steps_of_loss<double, backend::GenericSteps<OneLayer, Backend, double>>(backend, loss);
}

template <typename Scalar, typename Steps, typename Backend, typename L>
void check_steps_of_loss(const Backend& backend, const L& loss, const StepsOfLoss& expected) {
  constexpr bool in_float = std::is_same_v<Scalar, float>;
  CAPTURE(describe_settings(loss), in_float);
  const StepsOfLoss found = steps_of_loss<Scalar, Steps>(backend, loss);
  check_same_steps<Scalar>(found.parameters, found.sum, expected.parameters, expected.sum, in_float ? 1e-6 : 1e-14);
}

}  // namespace retort::test
