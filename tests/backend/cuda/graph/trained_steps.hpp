// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What a short training by the steps of a given class came to. No Catch2 here, which nvcc need not read.

#include <vector>

#include "retort/backend/arguments.hpp"
#include "train_steps.hpp"

namespace retort::test {

struct TrainedSteps {
  std::vector<double> parameters;
  backend::LossSum sum;
};

template <Model M, typename Backend, typename Scalar, typename Steps, typename L, typename O>
TrainedSteps train_graph_steps(const StepSettings& settings, const L& loss, const O& optimizer) {
  TrainedSteps trained;
  trained.parameters = train_steps<M, Scalar, Steps>(Backend{}, settings, loss, optimizer, trained.sum);
  return trained;
}

}  // namespace retort::test
