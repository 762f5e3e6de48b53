// SPDX-License-Identifier: MIT
#include "backend/cuda/graph/device/steps_on_device.hpp"
#include "backend/cuda/graph/trained_steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/graph/device/system.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/relu.hpp"
#include "retort/optim/sgd.hpp"

namespace retort::test {

namespace {

using backend::Precision;

/// Each way that a chain can go, and a last layer whose width no vector fits.
using Wide =
    Sequential<Linear<35, 256>, Dropout<0.5>, ReLU, Linear<256, 130>, ReLU, Linear<130, 64>, GELU, Linear<64, 10>>;

template <typename Scalar, Precision precision>
DeviceTrainings train(const StepSettings& settings) {
  using Backend = backend::CudaOn<retort::system::Cuda, precision>;
  using Steps = backend::graph::GraphSteps<Wide, Scalar, retort::system::Cuda, precision>;
  using Operations = backend::GenericSteps<Wide, Backend, Scalar>;
  const HintonLoss loss;
  const Sgd optimizer{.learning_rate = 0.05, .momentum = 0.9};
  return {train_graph_steps<Wide, Backend, Scalar, Steps>(settings, loss, optimizer),
          train_graph_steps<Wide, Backend, Scalar, Steps>(settings, loss, optimizer),
          train_graph_steps<Wide, Backend, Scalar, Operations>(settings, loss, optimizer)};
}

}  // namespace

DeviceTrainings train_on_device(const StepSettings& settings, DeviceProducts products) {
  switch (products) {
    case DeviceProducts::fp32:
      return train<float, Precision::fp32>(settings);
    case DeviceProducts::tf32:
      return train<float, Precision::tf32>(settings);
    case DeviceProducts::bf16:
      return train<float, Precision::bf16>(settings);
    case DeviceProducts::fp64:
      break;
  }
  return train<double, Precision::fp32>(settings);
}

}  // namespace retort::test
