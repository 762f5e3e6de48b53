// SPDX-License-Identifier: MIT
// The networks of the other benchmarks in dlib, with float32: the same layers, loss and optimizer. dlib's only threads
// are its BLAS's, and its tensor operations are those compiled into its library, whatever the flags here. It has no
// distillation loss: the one below is written as dlib's own losses are, with its softmax. What a step leaves out, and
// does more, --notes says.

#include <benchmark/benchmark.h>
#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr long features = 784;
constexpr long classes = 10;
constexpr std::size_t batch_size = 64;
constexpr std::size_t batches = 64;
constexpr std::size_t samples = batches * batch_size;

using Input = dlib::input<dlib::matrix<float>>;
using Student = dlib::fc<classes, dlib::relu<dlib::fc<20, dlib::relu<dlib::fc<20, Input>>>>>;
using TrainedTeacher =
    dlib::fc<classes, dlib::relu<dlib::dropout<dlib::fc<1200, dlib::relu<dlib::dropout<dlib::fc<1200, Input>>>>>>>;
// Without dropout and dlib's factor for it, which the weights could have taken in.
using FrozenTeacher = dlib::fc<classes, dlib::relu<dlib::fc<1200, dlib::relu<dlib::fc<1200, Input>>>>>;

/// KL divergence at a temperature, times its square, beside the labels' cross-entropy.
class HintonLoss {
 public:
  struct Target {
    unsigned long label;
    const float* teacher;  // logits
  };
  using training_label_type = Target;
  using output_label_type = unsigned long;

  template <typename Targets, typename Subnet>
  double compute_loss_value_and_gradient(const dlib::tensor& /*inputs*/, Targets targets, Subnet& subnet) const {
    const dlib::tensor& logits = subnet.get_output();
    const long count = logits.num_samples();
    for (dlib::resizable_tensor* tensor : {&hard_, &soft_, &teacher_}) {
      tensor->copy_size(logits);
    }
    const float* student = logits.host();
    float* soft = soft_.host_write_only();
    float* teacher = teacher_.host_write_only();
    for (long row = 0, i = 0; row < count; ++row) {
      for (long column = 0; column < classes; ++column, ++i) {
        soft[i] = student[i] / temperature;
        teacher[i] = targets[row].teacher[column] / temperature;
      }
    }
    dlib::tt::softmax(hard_, logits);
    dlib::tt::softmax(soft_, soft_);
    dlib::tt::softmax(teacher_, teacher_);

    const float* hard = hard_.host();
    float* gradient = subnet.get_gradient_input().host_write_only();
    const float scale = 1.0f / static_cast<float>(count);
    double loss = 0;
    for (long row = 0, i = 0; row < count; ++row) {
      const long label = static_cast<long>(targets[row].label);
      loss -= hard_weight * dlib::safe_log(hard[row * classes + label]);
      for (long column = 0; column < classes; ++column, ++i) {
        loss += (1 - hard_weight) * temperature * temperature * teacher[i] *
                (dlib::safe_log(teacher[i]) - dlib::safe_log(soft[i]));
        gradient[i] = scale * (hard_weight * (hard[i] - (column == label ? 1.0f : 0.0f)) +
                               (1 - hard_weight) * temperature * (soft[i] - teacher[i]));
      }
    }
    return scale * loss;
  }

 private:
  static constexpr float temperature = 4.0f;
  static constexpr float hard_weight = 0.1f;
  mutable dlib::resizable_tensor hard_, soft_, teacher_;  // kept, so that a step allocates none of them
};

dlib::resizable_tensor random_inputs(std::size_t count) {
  dlib::resizable_tensor inputs(static_cast<long>(count), features);
  std::mt19937 generator(0);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::generate(inputs.begin(), inputs.end(), [&] { return uniform(generator); });
  return inputs;
}

/// A network takes tensors only after it has made one itself.
template <typename Network>
void prepare(Network& network) {
  const dlib::matrix<float> image = dlib::zeros_matrix<float>(features, 1);
  dlib::resizable_tensor unused;
  network.to_tensor(&image, &image + 1, unused);
}

struct Data {
  Data() {
    std::mt19937 generator(0);
    std::generate(labels.begin(), labels.end(), [&] { return generator() % classes; });
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), generator);
  }

  dlib::resizable_tensor images = random_inputs(samples);
  std::vector<unsigned long> labels = std::vector<unsigned long>(samples);
  std::vector<std::size_t> order = std::vector<std::size_t>(samples);
};

/// An iteration is an epoch; `target_of(inputs, row, sample)` is what the loss compares that row of a batch with.
template <typename Loss, typename Subnet, typename TargetOf>
void train(benchmark::State& state, const Data& data, const TargetOf& target_of) {
  dlib::add_loss_layer<Loss, Subnet> network;
  prepare(network);
  std::vector<dlib::adam> solvers(network.num_computational_layers, dlib::adam(0.0f, 0.9f, 0.999f));
  dlib::resizable_tensor inputs(batch_size, features);
  std::vector<typename Loss::training_label_type> targets(batch_size);
  for (auto _ : state) {
    for (std::size_t first = 0; first < samples; first += batch_size) {
      float* row = inputs.host_write_only();
      for (std::size_t i = 0; i < batch_size; ++i, row += features) {
        std::copy_n(data.images.host() + data.order[first + i] * features, features, row);
      }
      for (std::size_t i = 0; i < batch_size; ++i) {
        targets[i] = target_of(inputs, i, data.order[first + i]);
      }
      benchmark::DoNotOptimize(network.compute_parameter_gradients(inputs, targets.begin()));
      network.update_parameters(dlib::make_sstack(solvers), 1e-3);
    }
  }
  state.counters["time/step"] = benchmark::Counter(
      static_cast<double>(batches), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <typename Subnet>
void step(benchmark::State& state) {
  const Data data;
  train<dlib::loss_multiclass_log_, Subnet>(
      state, data, [&](const dlib::tensor&, std::size_t, std::size_t sample) { return data.labels[sample]; });
}
BENCHMARK_TEMPLATE(step, Student)->Name("student_step")->UseRealTime();
BENCHMARK_TEMPLATE(step, TrainedTeacher)->Name("teacher_step")->UseRealTime();

void distillation(benchmark::State& state, bool cached) {
  const Data data;
  FrozenTeacher teacher;
  prepare(teacher);
  const dlib::resizable_tensor table = teacher.forward(data.images);
  const float* logits = nullptr;  // online: those of the batch
  train<HintonLoss, Student>(state, data, [&](const dlib::tensor& inputs, std::size_t row, std::size_t sample) {
    if (cached) {
      return HintonLoss::Target{data.labels[sample], table.host() + sample * classes};
    }
    if (row == 0) {
      logits = teacher.forward(inputs).host();
    }
    return HintonLoss::Target{data.labels[sample], logits + row * classes};
  });
}
BENCHMARK_CAPTURE(distillation, cached, true)->Name("distillation_cached")->UseRealTime();
BENCHMARK_CAPTURE(distillation, online, false)->Name("distillation_online")->UseRealTime();

template <typename Network>
void predict(benchmark::State& state) {
  Network network;
  prepare(network);
  const dlib::resizable_tensor inputs = random_inputs(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(network.forward(inputs).host());
  }
}
BENCHMARK_TEMPLATE(predict, Student)->Name("student_predict")->Arg(1)->Arg(10'000)->UseRealTime();
BENCHMARK_TEMPLATE(predict, FrozenTeacher)->Name("teacher_predict")->Arg(64)->Arg(1024)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::cout << "dlib " << DLIB_MAJOR_VERSION << '.' << DLIB_MINOR_VERSION << '.' << DLIB_PATCH_VERSION << '\n';
    return 0;
  }
  if (argc == 2 && std::string(argv[1]) == "--notes") {
    std::cout
        << "dlib copies a batch from normalised floats, which is counted, always computes the first layer's input "
           "gradients, and distils by a loss written here; not counted: normalising uint8 pixels, shuffling, adding "
           "up losses and hits, moving the images of online distillation\n";
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
