// SPDX-License-Identifier: MIT
// The networks of the other benchmarks in libtorch, with float32 and OMP_NUM_THREADS threads: the same layers, loss and
// optimizer. Dropout's random numbers are libtorch's own. What a step leaves out, --notes says.

#include <ATen/Version.h>
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

namespace nn = torch::nn;

nn::Sequential make_teacher() {
  return nn::Sequential(nn::Linear(784, 1200), nn::Dropout(0.5), nn::ReLU(),   //
                        nn::Linear(1200, 1200), nn::Dropout(0.5), nn::ReLU(),  //
                        nn::Linear(1200, 10));
}

nn::Sequential make_student() {
  return nn::Sequential(nn::Linear(784, 20), nn::ReLU(), nn::Linear(20, 20), nn::ReLU(), nn::Linear(20, 10));
}

constexpr std::int64_t batch_size = 64;
constexpr std::int64_t batches = 64;

struct Data {
  torch::Tensor images = torch::rand({batches * batch_size, 784}) * 2 - 1;
  torch::Tensor labels = torch::randint(10, {batches * batch_size});
  torch::Tensor order = torch::randperm(batches * batch_size);

  torch::Tensor samples(std::int64_t batch) const { return order.narrow(0, batch * batch_size, batch_size); }
};

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
void train(benchmark::State& state, nn::Sequential& network, const Data& data, const LossOf& loss_of) {
  network->train();
  torch::optim::Adam optimizer(network->parameters(), torch::optim::AdamOptions(1e-3));
  for (auto _ : state) {
    for (std::int64_t batch = 0; batch < batches; ++batch) {
      const torch::Tensor samples = data.samples(batch);
      optimizer.zero_grad();
      loss_of(data.images.index_select(0, samples), samples).backward();
      optimizer.step();
    }
  }
  state.counters["time/step"] = benchmark::Counter(
      static_cast<double>(batches), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <nn::Sequential (*make)()>
void step(benchmark::State& state) {
  const Data data;
  nn::Sequential network = make();
  train(state, network, data, [&](const torch::Tensor& inputs, const torch::Tensor& samples) {
    return nn::functional::cross_entropy(network->forward(inputs), data.labels.index_select(0, samples));
  });
}
BENCHMARK_TEMPLATE(step, make_student)->Name("student_step")->UseRealTime();
BENCHMARK_TEMPLATE(step, make_teacher)->Name("teacher_step")->UseRealTime();

void distillation(benchmark::State& state, bool cached) {
  const Data data;
  nn::Sequential teacher = make_teacher();
  nn::Sequential student = make_student();
  teacher->eval();
  const auto answer = [&](const torch::Tensor& inputs) {
    const torch::NoGradGuard no_gradients;
    return teacher->forward(inputs);
  };
  const torch::Tensor logits = answer(data.images);
  train(state, student, data, [&](const torch::Tensor& inputs, const torch::Tensor& samples) {
    return hinton_loss(student->forward(inputs), cached ? logits.index_select(0, samples) : answer(inputs),
                       data.labels.index_select(0, samples));
  });
}
BENCHMARK_CAPTURE(distillation, cached, true)->Name("distillation_cached")->UseRealTime();
BENCHMARK_CAPTURE(distillation, online, false)->Name("distillation_online")->UseRealTime();

template <nn::Sequential (*make)()>
void predict(benchmark::State& state) {
  const torch::NoGradGuard no_gradients;
  nn::Sequential network = make();
  network->eval();
  const torch::Tensor inputs = torch::rand({state.range(0), 784});
  for (auto _ : state) {
    benchmark::DoNotOptimize(network->forward(inputs));
  }
}
BENCHMARK_TEMPLATE(predict, make_student)->Name("student_predict")->Arg(1)->Arg(10'000)->UseRealTime();
BENCHMARK_TEMPLATE(predict, make_teacher)->Name("teacher_predict")->Arg(64)->Arg(1024)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    // PyPI's libtorch has its BLAS inside, where only its own configuration tells which.
    const std::string configuration = at::show_config();
    const std::size_t blas = configuration.find("BLAS_INFO=");
    std::cout << "libtorch " << TORCH_VERSION;
    if (blas != std::string::npos) {
      std::cout << ", " << configuration.substr(blas, configuration.find_first_of(",\n", blas) - blas);
    }
    std::cout << '\n';
    return 0;
  }
  if (argc == 2 && std::string(argv[1]) == "--notes") {
    std::cout << "libtorch takes a batch from normalised floats by index_select, which is counted; not counted: "
                 "normalising uint8 pixels, shuffling, adding up losses and hits, moving the images of online "
                 "distillation\n";
    return 0;
  }
  // Its own default is the number of cores where the variable is not set.
  const char* threads = std::getenv("OMP_NUM_THREADS");
  torch::set_num_threads(threads != nullptr ? std::stoi(threads) : 1);
  torch::manual_seed(0);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
