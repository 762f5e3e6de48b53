// SPDX-License-Identifier: MIT
// The cells in Retort, with its Eigen backend and OMP_NUM_THREADS threads.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host_runner.hpp"
#include "models.hpp"
#include "peers/cells.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/loss/cross_entropy.hpp"
#include "retort/loss/hinton.hpp"
#include "retort/nn/batch_norm.hpp"
#include "retort/nn/dropout.hpp"
#include "retort/nn/gelu.hpp"
#include "retort/nn/layer_norm.hpp"
#include "retort/nn/linear.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/relu.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/optim/adam.hpp"
#include "retort/train/epoch_trainer.hpp"
#include "retort/version.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {
namespace {

using peers::Cell;
using Backend = retort::backend::Eigen;

constexpr std::size_t features = 784;
constexpr std::size_t classes = 10;

template <std::size_t width, typename... Layers>
using Net = Sequential<Linear<features, width>, Layers..., Linear<width, width>, Layers..., Linear<width, classes>>;

/// Images of random bytes, made once for each size.
const data::Dataset& images(std::size_t count) {
  static std::map<std::size_t, data::Dataset> datasets;
  const auto found = datasets.find(count);
  if (found != datasets.end()) {
    return found->second;
  }
  std::mt19937 generator(0);
  std::vector<std::uint8_t> bytes(count * features);
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(generator()); });
  data::Labels labels(count);
  std::generate(labels.begin(), labels.end(), [&] { return static_cast<std::uint32_t>(generator() % classes); });
  return datasets
      .emplace(count, data::Dataset(data::Matrix<std::uint8_t>(count, features, std::move(bytes)), std::move(labels),
                                    classes, {28, 28}))
      .first->second;
}

Backend make_backend() { return Backend{static_cast<unsigned>(peers::threads())}; }

Epochs epochs_of(const Cell& cell, double flops, const data::Augmentation& augmentation = {}) {
  return {.data = images(static_cast<std::size_t>(cell.samples())),
          .batch = static_cast<std::size_t>(cell.batch),
          .flops = flops,
          .augmentation = augmentation};
}

template <Model M>
void train(benchmark::State& state, const Cell& cell) {
  const Backend backend = make_backend();
  Network<M> network{Seed{0}, backend};
  internal::EpochTrainer<M, Backend, float, CrossEntropy, Adam, internal::NoTeacher> trainer(network, {}, {}, {});
  run_epochs<HostRunner<Backend>>(state, backend, trainer,
                                  epochs_of(cell, training_step_flops<M>(static_cast<std::size_t>(cell.batch))));
}

/// Online: the images are moved, so that each step asks the teacher.
void distil(benchmark::State& state, const Cell& cell) {
  const Backend backend = make_backend();
  const bool online = cell.model == "online";
  const Network<Teacher> teacher{Seed{0}, backend};
  Network<Student> student{Seed{1}, backend};
  internal::EpochTrainer<Student, Backend, float, HintonLoss, Adam, internal::Teacher<Teacher, Backend, float>> trainer(
      student, {}, {}, {&teacher});
  const auto batch = static_cast<std::size_t>(cell.batch);
  const double teacher_flops = online ? static_cast<double>(batch * Teacher::flops) : 0.0;
  run_epochs<HostRunner<Backend>>(
      state, backend, trainer,
      epochs_of(cell, teacher_flops + training_step_flops<Student>(batch), {.shift = online ? std::size_t{2} : 0}));
}

template <Model M>
void predict(benchmark::State& state, const Cell& cell) {
  const Network<M> network{Seed{0}, make_backend()};
  const auto batch = static_cast<std::size_t>(cell.batch);
  std::vector<float> inputs(batch * features);
  std::mt19937 generator(0);
  std::generate(inputs.begin(), inputs.end(), [&] { return std::uniform_real_distribution<float>(-1, 1)(generator); });
  std::vector<float> logits(batch * classes);
  for (auto _ : state) {
    network.predict(inputs, std::span<float>(logits));
    benchmark::DoNotOptimize(logits.data());
    benchmark::ClobberMemory();
  }
}

using Measure = void (*)(benchmark::State&, const Cell&);
struct Measures {
  Measure train, predict;
};
template <Model M>
constexpr Measures measures{train<M>, predict<M>};

const std::map<std::string, Measures> models{
    {"ReLU-20", measures<Student>},
    {"ReLU-128", measures<Net<128, ReLU>>},
    {"ReLU-512", measures<Net<512, ReLU>>},
    {"Dropout-ReLU-1200", measures<Teacher>},
    {"GELU-20", measures<Net<20, GELU>>},
    {"GELU-128", measures<Net<128, GELU>>},
    {"LayerNorm-GELU-128", measures<Net<128, LayerNorm<128>, GELU>>},
    {"LayerNorm-GELU-512", measures<Net<512, LayerNorm<512>, GELU>>},
    {"LayerNorm-ReLU-1200", measures<NormalizedTeacher>},
    {"BatchNorm-ReLU-1200", measures<Net<1200, BatchNorm<1200>, ReLU>>},
};

peers::Benchmark benchmark_of(const Cell& cell) {
  Measure measure = distil;
  if (cell.kind != "distillation") {
    const auto found = models.find(cell.model);
    if (found == models.end()) {
      std::cerr << "retort.cpp: cells.txt has a model '" << cell.model << "' that this program lacks\n";
      std::exit(2);
    }
    measure = cell.kind == "train" ? found->second.train : found->second.predict;
  }
  return [=](benchmark::State& state) { measure(state, cell); };
}

}  // namespace
}  // namespace retort::benchmarks

int main(int argc, char** argv) {
  return peers::run(argc, argv, "Retort " + std::string(retort::version),
                    "Retort counts everything: shuffling, gathering uint8 pixels, moving them for an online teacher, "
                    "loss, Adam",
                    retort::benchmarks::benchmark_of);
}
