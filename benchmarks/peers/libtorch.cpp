// SPDX-License-Identifier: MIT
// The cells in libtorch, with float32 and OMP_NUM_THREADS threads: the same layers, loss and optimizer. Dropout's
// random numbers are libtorch's own. What a step leaves out, --notes says.

#include <ATen/Version.h>
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "peers/cells.hpp"

namespace {

namespace nn = torch::nn;
using peers::Cell;

constexpr std::int64_t features = 784;
constexpr std::int64_t classes = 10;

void add_layer(nn::Sequential& network, const std::string& layer, std::int64_t width) {
  if (layer == "ReLU") {
    network->push_back(nn::ReLU());
  } else if (layer == "GELU") {
    network->push_back(nn::GELU());
  } else if (layer == "Dropout") {
    network->push_back(nn::Dropout(0.5));
  } else if (layer == "LayerNorm") {
    network->push_back(nn::LayerNorm(nn::LayerNormOptions({width})));
  } else if (layer == "BatchNorm") {
    network->push_back(nn::BatchNorm1d(width));
  } else {
    std::cerr << "libtorch.cpp: cells.txt has a layer '" << layer << "' that this program lacks\n";
    std::exit(2);
  }
}

nn::Sequential make_model(const std::string& name) {
  const peers::ModelName parts(name);
  nn::Sequential network;
  std::int64_t inputs = features;
  for (int hidden = 0; hidden < 2; ++hidden) {
    network->push_back(nn::Linear(inputs, parts.width));
    for (const std::string& layer : parts.layers) {
      add_layer(network, layer, parts.width);
    }
    inputs = parts.width;
  }
  network->push_back(nn::Linear(inputs, classes));
  return network;
}

struct Data {
  explicit Data(std::int64_t samples)
      : images(torch::rand({samples, features}).mul_(2).sub_(1)),
        labels(torch::randint(classes, {samples})),
        order(torch::randperm(samples)) {}

  torch::Tensor images, labels, order;
};

/// Made once for each size.
const Data& data_of(const Cell& cell) {
  static std::map<std::int64_t, Data> made;
  return made.try_emplace(cell.samples(), cell.samples()).first->second;
}

torch::Tensor hinton_loss(const torch::Tensor& student, const torch::Tensor& teacher, const torch::Tensor& labels) {
  constexpr double temperature = 4.0;
  constexpr double hard_weight = 0.1;
  const auto soft =
      nn::functional::kl_div(torch::log_softmax(student / temperature, 1), torch::softmax(teacher / temperature, 1),
                             nn::functional::KLDivFuncOptions().reduction(torch::kBatchMean));
  return hard_weight * nn::functional::cross_entropy(student, labels) +
         (1 - hard_weight) * temperature * temperature * soft;
}

/// An iteration is an epoch; `loss_of(inputs, samples)` is one batch's.
template <typename LossOf>
void train(benchmark::State& state, nn::Sequential& network, const Cell& cell, const Data& data,
           const LossOf& loss_of) {
  network->train();
  torch::optim::Adam optimizer(network->parameters(), torch::optim::AdamOptions(1e-3));
  for (auto _ : state) {
    for (std::int64_t first = 0; first < cell.samples(); first += cell.batch) {
      const torch::Tensor samples = data.order.narrow(0, first, cell.batch);
      optimizer.zero_grad();
      loss_of(data.images.index_select(0, samples), samples).backward();
      optimizer.step();
    }
  }
}

void step(benchmark::State& state, const Cell& cell) {
  const Data& data = data_of(cell);
  nn::Sequential network = make_model(cell.model);
  train(state, network, cell, data, [&](const torch::Tensor& inputs, const torch::Tensor& samples) {
    return nn::functional::cross_entropy(network->forward(inputs), data.labels.index_select(0, samples));
  });
}

void distillation(benchmark::State& state, const Cell& cell) {
  const Data& data = data_of(cell);
  nn::Sequential teacher = make_model("Dropout-ReLU-1200");
  nn::Sequential student = make_model("ReLU-20");
  teacher->eval();
  const auto answer = [&](const torch::Tensor& inputs) {
    const torch::NoGradGuard no_gradients;
    return teacher->forward(inputs);
  };
  const bool cached = cell.model == "cached";
  const torch::Tensor logits = cached ? answer(data.images) : torch::Tensor();
  train(state, student, cell, data, [&](const torch::Tensor& inputs, const torch::Tensor& samples) {
    return hinton_loss(student->forward(inputs), cached ? logits.index_select(0, samples) : answer(inputs),
                       data.labels.index_select(0, samples));
  });
}

void predict(benchmark::State& state, const Cell& cell) {
  const torch::NoGradGuard no_gradients;
  nn::Sequential network = make_model(cell.model);
  network->eval();
  const torch::Tensor inputs = torch::rand({cell.batch, features}).mul_(2).sub_(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(network->forward(inputs));
  }
}

peers::Benchmark benchmark_of(const Cell& cell) {
  const auto measure = cell.kind == "train" ? step : cell.kind == "predict" ? predict : distillation;
  return [=](benchmark::State& state) { measure(state, cell); };
}

/// PyPI's libtorch has its BLAS inside, where only its own configuration tells which.
std::string version() {
  const std::string configuration = at::show_config();
  const std::size_t blas = configuration.find("BLAS_INFO=");
  const std::string name = std::string("libtorch ") + TORCH_VERSION;
  return blas == std::string::npos
             ? name
             : name + ", " + configuration.substr(blas, configuration.find_first_of(",\n", blas) - blas);
}

}  // namespace

int main(int argc, char** argv) {
  // Its own default is the number of cores where the variable is not set.
  torch::set_num_threads(peers::threads());
  torch::manual_seed(0);
  return peers::run(argc, argv, version(),
                    "libtorch takes a batch from normalised floats by index_select, which is counted; not counted: "
                    "normalising uint8 pixels, shuffling, adding up losses and hits, moving the images of online "
                    "distillation",
                    benchmark_of);
}
