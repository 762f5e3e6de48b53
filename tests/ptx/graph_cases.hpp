// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Trainings by graph::GraphSteps, whose kernels nvcc makes for ptx/emulated_system.hpp. Read by nvcc and by the host's
/// compiler.

#include "backend/cuda/graph/trained_steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/sgd.hpp"
#include "train_steps.hpp"

namespace retort::test::ptx {

using backend::Precision;

// Each way that a chain can go, and widths that no vector fits.
using WideGraph =
    Sequential<Linear<35, 64>, Dropout<0.5>, ReLU, Linear<64, 33>, ReLU, Linear<33, 32>, GELU, Linear<32, 10>>;
using FrontGraph = Sequential<Dropout<0.2>, Linear<35, 21>, GELU, Dropout<0.1>, Linear<21, 10>, Tanh>;

enum class GraphCase { wide, wide_bf16, wide_adam, wide_double, front, front_bf16 };

template <typename M, typename Scalar, Precision precision, typename System, typename O>
TrainedSteps train_graph(const StepSettings& settings, const O& optimizer) {
  return train_graph_steps<M, backend::CudaOn<System, precision>, Scalar,
                           backend::graph::GraphSteps<M, Scalar, System, precision>>(settings, HintonLoss{}, optimizer);
}

template <typename System>
TrainedSteps train_graph_case(GraphCase which, const StepSettings& settings) {
  const Sgd sgd{.learning_rate = 0.05, .momentum = 0.9};
  switch (which) {
    case GraphCase::wide:
      return train_graph<WideGraph, float, Precision::fp32, System>(settings, sgd);
    case GraphCase::wide_bf16:
      return train_graph<WideGraph, float, Precision::bf16, System>(settings, sgd);
    case GraphCase::wide_adam:
      return train_graph<WideGraph, float, Precision::fp32, System>(settings, Adam{});
    case GraphCase::wide_double:
      return train_graph<WideGraph, double, Precision::fp32, System>(settings, sgd);
    case GraphCase::front:
      return train_graph<FrontGraph, float, Precision::fp32, System>(settings, sgd);
    case GraphCase::front_bf16:
      break;
  }
  return train_graph<FrontGraph, float, Precision::bf16, System>(settings, sgd);
}

}  // namespace retort::test::ptx
