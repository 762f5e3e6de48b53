// SPDX-License-Identifier: MIT
// Some of the cells in dlib, with float32: the same layers, loss and optimizer. dlib's only threads are its BLAS's, and
// its tensor operations are those compiled into its library, whatever the flags here. It has no distillation loss: the
// one below is written as dlib's own losses are, with its softmax. What a step leaves out, and does more, --notes says.

#include <benchmark/benchmark.h>
#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "peers/cells.hpp"

namespace {

using peers::Cell;

constexpr long features = 784;
constexpr long classes = 10;

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
  explicit Data(std::size_t samples) : images(random_inputs(samples)), labels(samples), order(samples) {
    std::mt19937 generator(0);
    std::generate(labels.begin(), labels.end(), [&] { return generator() % classes; });
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), generator);
  }

  dlib::resizable_tensor images;
  std::vector<unsigned long> labels;
  std::vector<std::size_t> order;
};

/// Made once for each size.
const Data& data_of(const Cell& cell) {
  static std::map<std::int64_t, Data> made;
  return made.try_emplace(cell.samples(), static_cast<std::size_t>(cell.samples())).first->second;
}

/// An iteration is an epoch; `target_of(inputs, row, sample)` is what the loss compares that row of a batch with.
template <typename Loss, typename Subnet, typename TargetOf>
void train(benchmark::State& state, const Cell& cell, const Data& data, const TargetOf& target_of) {
  dlib::add_loss_layer<Loss, Subnet> network;
  prepare(network);
  std::vector<dlib::adam> solvers(network.num_computational_layers, dlib::adam(0.0f, 0.9f, 0.999f));
  const auto batch = static_cast<std::size_t>(cell.batch);
  dlib::resizable_tensor inputs(static_cast<long>(batch), features);
  std::vector<typename Loss::training_label_type> targets(batch);
  for (auto _ : state) {
    for (std::size_t first = 0; first < data.order.size(); first += batch) {
      float* row = inputs.host_write_only();
      for (std::size_t i = 0; i < batch; ++i, row += features) {
        std::copy_n(data.images.host() + data.order[first + i] * features, features, row);
      }
      for (std::size_t i = 0; i < batch; ++i) {
        targets[i] = target_of(inputs, i, data.order[first + i]);
      }
      benchmark::DoNotOptimize(network.compute_parameter_gradients(inputs, targets.begin()));
      network.update_parameters(dlib::make_sstack(solvers), 1e-3);
    }
  }
}

template <typename Subnet>
void step(benchmark::State& state, const Cell& cell) {
  const Data& data = data_of(cell);
  train<dlib::loss_multiclass_log_, Subnet>(
      state, cell, data, [&](const dlib::tensor&, std::size_t, std::size_t sample) { return data.labels[sample]; });
}

/// Of all samples, by batches: dlib keeps every layer's outputs and their gradients.
std::vector<float> answers(FrozenTeacher& teacher, const dlib::resizable_tensor& images) {
  constexpr long batch = 1024;
  const long samples = images.num_samples();
  std::vector<float> logits;
  dlib::resizable_tensor inputs;
  for (long first = 0; first < samples; first += batch) {
    const long count = std::min(batch, samples - first);
    inputs.set_size(count, features);
    std::copy_n(images.host() + first * features, count * features, inputs.host_write_only());
    const float* found = teacher.forward(inputs).host();
    logits.insert(logits.end(), found, found + count * classes);
  }
  return logits;
}

void distillation(benchmark::State& state, const Cell& cell) {
  const Data& data = data_of(cell);
  FrozenTeacher teacher;
  prepare(teacher);
  const bool cached = cell.model == "cached";
  const std::vector<float> table = cached ? answers(teacher, data.images) : std::vector<float>();
  const float* logits = nullptr;  // online: those of the batch
  train<HintonLoss, Student>(state, cell, data, [&](const dlib::tensor& inputs, std::size_t row, std::size_t sample) {
    if (cached) {
      return HintonLoss::Target{data.labels[sample], table.data() + sample * classes};
    }
    if (row == 0) {
      logits = teacher.forward(inputs).host();
    }
    return HintonLoss::Target{data.labels[sample], logits + row * classes};
  });
}

template <typename Network>
void predict(benchmark::State& state, const Cell& cell) {
  Network network;
  prepare(network);
  const dlib::resizable_tensor inputs = random_inputs(static_cast<std::size_t>(cell.batch));
  for (auto _ : state) {
    benchmark::DoNotOptimize(network.forward(inputs).host());
  }
}

/// None for the models that are not written here.
peers::Benchmark benchmark_of(const Cell& cell) {
  using Measure = void (*)(benchmark::State&, const Cell&);
  static const std::map<std::string, Measure> known{
      {"train/ReLU-20", step<Student>},      {"train/Dropout-ReLU-1200", step<TrainedTeacher>},
      {"predict/ReLU-20", predict<Student>}, {"predict/Dropout-ReLU-1200", predict<FrozenTeacher>},
      {"distillation/cached", distillation}, {"distillation/online", distillation},
  };
  const auto found = known.find(cell.kind + "/" + cell.model);
  if (found == known.end()) {
    return nullptr;
  }
  return [cell, measure = found->second](benchmark::State& state) { measure(state, cell); };
}

std::string version() {
  std::ostringstream text;
  text << "dlib " << DLIB_MAJOR_VERSION << '.' << DLIB_MINOR_VERSION << '.' << DLIB_PATCH_VERSION;
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  return peers::run(
      argc, argv, version(),
      "dlib copies a batch from normalised floats, which is counted, always computes the first layer's input "
      "gradients, and distils by a loss written here; not counted: normalising uint8 pixels, shuffling, adding "
      "up losses and hits, moving the images of online distillation",
      benchmark_of);
}
