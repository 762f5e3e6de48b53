// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Trainings by graph::GraphSteps and by single operations, whose kernels nvcc makes for ptx/emulated_system.hpp. Read
/// by nvcc and by the host's compiler.

#include "backend/cuda/graph/trained_steps.hpp"
#include "retort/backend/cuda/cuda_on.hpp"
#include "retort/backend/cuda/graph/steps.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/loss/class_weighted.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/loss/softmax_passed_to_kl.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/gelu_tanh.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/sigmoid.hpp"
#include "retort/nn/silu.hpp"
#include "retort/nn/tanh.hpp"
#include "retort/optim/adam.hpp"
#include "retort/optim/adamw.hpp"
#include "retort/optim/sgd.hpp"
#include "train_steps.hpp"

namespace retort::test::ptx {

using backend::Precision;

// Each way that a chain can go, and widths that no vector fits.
using WideGraph =
    Sequential<Linear<35, 64>, Dropout<0.5>, ReLU, Linear<64, 33>, ReLU, Linear<33, 32>, GELU, Linear<32, 10>>;
using FrontGraph = Sequential<Dropout<0.2>, Linear<35, 21>, GELUTanh, Dropout<0.1>, Linear<21, 10>, Tanh>;
// Every kind of layer.
using Mixed = Sequential<Linear<35, 24, Bias::no>, LayerNorm<24>, GELU, Dropout<0.1>, Linear<24, 13>, BatchNorm<13>,
                         SiLU, Linear<13, 7>, Sigmoid, Linear<7, 5>>;

enum class TrainingCase {
  wide,
  wide_bf16,
  wide_adam,
  wide_double,
  front,
  front_bf16,
  operations,
  operations_weighted,
  operations_double,
};

template <typename M, typename Scalar, Precision precision, typename System, typename O>
TrainedSteps train_graph(const StepSettings& settings, const O& optimizer) {
  return train_graph_steps<M, backend::CudaOn<System, precision>, Scalar,
                           backend::graph::GraphSteps<M, Scalar, System, precision>>(settings, HintonLoss{}, optimizer);
}
template <typename Scalar, typename System, typename L, typename O>
TrainedSteps train_operations(const StepSettings& settings, const L& loss, const O& optimizer) {
  using Backend = backend::Thrust<System>;
  return train_graph_steps<Mixed, Backend, Scalar, backend::GenericSteps<Mixed, Backend, Scalar>>(settings, loss,
                                                                                                  optimizer);
}

template <typename System>
TrainedSteps train_case(TrainingCase which, StepSettings settings) {
  const Sgd sgd{.learning_rate = 0.05, .momentum = 0.9};
  switch (which) {
    case TrainingCase::wide:
      return train_graph<WideGraph, float, Precision::fp32, System>(settings, sgd);
    case TrainingCase::wide_bf16:
      return train_graph<WideGraph, float, Precision::bf16, System>(settings, sgd);
    case TrainingCase::wide_adam:
      return train_graph<WideGraph, float, Precision::fp32, System>(settings, Adam{});
    case TrainingCase::wide_double:
      return train_graph<WideGraph, double, Precision::fp32, System>(settings, sgd);
    case TrainingCase::front:
      return train_graph<FrontGraph, float, Precision::fp32, System>(settings, sgd);
    case TrainingCase::front_bf16:
      return train_graph<FrontGraph, float, Precision::bf16, System>(settings, sgd);
    case TrainingCase::operations:
      return train_operations<float, System>(settings, HintonLoss{}, sgd);
    case TrainingCase::operations_weighted:
      settings.real_features = true;
      return train_operations<float, System>(
          settings, ClassWeighted<CrossEntropy, 5>{{.label_smoothing = 0.1}, {0.5, 1, 1.5, 1, 1}}, sgd);
    case TrainingCase::operations_double:
      break;
  }
  return train_operations<double, System>(settings, SoftmaxPassedToKlLoss{}, AdamW{});
}

}  // namespace retort::test::ptx
