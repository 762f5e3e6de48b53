// SPDX-License-Identifier: MIT
/// What panels are worth: each product of a Linear layer, and a whole training step, on panels and by Eigen's
/// operations, on one thread.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "host_runner.hpp"
#include "models.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/backend/generic/engine.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/optim/adam.hpp"
#include "train/step_benchmark.hpp"

namespace retort::benchmarks {

namespace {

namespace panel = backend::panel;
using V = simd::Vector<float>;

constexpr std::size_t batch = panel::width<float>;

/// The first `count` rows of the batch, which is one panel.
constexpr panel::PanelRows<float> whole(std::size_t count) { return {{0, count}, 0, batch}; }

/// A layer's matrices for one panel of samples, filled so that no product has anything special to meet.
template <typename L>
struct LayerMemory {
  static constexpr std::size_t stride = panel::sample_stride<float>(L::input_size);
  static constexpr std::size_t parameter_size =
      tensor_offset(L::parameters, 1) + internal::aligned_extent(L::output_size);

  LayerMemory() {
    for (AlignedBuffer<float>* buffer :
         {&parameters, &input, &output, &input_gradient, &first_moment, &second_moment}) {
      for (std::size_t i = 0; i < buffer->size(); ++i) {
        (*buffer)[i] = static_cast<float>(i % 17) / 16.0f;
      }
    }
  }

  AlignedBuffer<float> parameters{parameter_size};
  AlignedBuffer<float> gradients{parameter_size};
  AlignedBuffer<float> first_moment{parameter_size};
  AlignedBuffer<float> second_moment{parameter_size};
  AlignedBuffer<float> input{batch * stride};  // (in, batch), (batch, in) or the same with sample_stride
  AlignedBuffer<float> output{batch * L::output_size};
  AlignedBuffer<float> input_gradient{batch * L::input_size};
};

template <typename L>
void count_flops(benchmark::State& state) {
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(batch * L::flops), benchmark::Counter::kIsIterationInvariantRate);
}

template <typename L>
void forward_on_panel(benchmark::State& state) {
  LayerMemory<L> memory;
  for (auto _ : state) {
    panel::forward_rows<L, V>(memory.parameters.data(), memory.input.data(), memory.output.data(),
                              whole(L::output_size));
    benchmark::ClobberMemory();
  }
  count_flops<L>(state);
}

template <typename L>
void forward_by_eigen(benchmark::State& state) {
  LayerMemory<L> memory;
  const backend::Eigen backend;
  for (auto _ : state) {
    infer(backend, L{}, backend::Width<L::input_size>{},
          backend::InferArguments<float>{std::as_const(memory.parameters).data(), nullptr,
                                         std::as_const(memory.input).data(), memory.output.data(), batch});
    benchmark::ClobberMemory();
  }
  count_flops<L>(state);
}

template <typename L>
void input_gradient_on_panel(benchmark::State& state) {
  LayerMemory<L> memory;
  for (auto _ : state) {
    panel::input_gradient_rows<L, V>(memory.parameters.data(), memory.output.data(), memory.input_gradient.data(),
                                     whole(L::input_size));
    benchmark::ClobberMemory();
  }
  count_flops<L>(state);
}

/// With Adam, which moves the parameters in the same pass.
template <typename L>
void weight_gradient_and_adam_on_panel(benchmark::State& state) {
  LayerMemory<L> memory;
  const auto rule = Adam{}.rule<float>(1, 1e-9);
  AlignedBuffer<float> sums(L::output_size);
  const panel::ApplyRule<AdamRule<float>, float, 2> sink{
      rule, memory.parameters.data(), {memory.first_moment.data(), memory.second_moment.data()}};
  for (auto _ : state) {
    const panel::SampleMajor<float> input{memory.input.data(), memory.stride};
    const panel::RowRange rows{0, L::output_size};
    panel::sum_over_batch<L, V>(memory.output.data(), batch, rows, sums.data());
    panel::weight_gradient_rows<L, V>(memory.output.data(), sums.data(), input, batch, rows, sink);
    panel::bias_gradient_rows<L, V>(sums.data(), rows, sink);
    benchmark::ClobberMemory();
  }
  count_flops<L>(state);
}

template <typename L>
void weight_gradient_and_adam_by_eigen(benchmark::State& state) {
  LayerMemory<L> memory;
  const backend::Eigen backend;
  const auto rule = Adam{}.rule<float>(1, 1e-9);
  for (auto _ : state) {
    backward(backend, L{}, backend::Width<L::input_size>{},
             backend::BackwardArguments<float>{memory.parameters.data(),
                                               memory.input.data(),
                                               memory.output.data(),
                                               memory.output.data(),
                                               nullptr,
                                               memory.gradients.data(),
                                               batch,
                                               {}});
    update_parameters(backend, rule, memory.parameters.data(), std::as_const(memory.gradients).data(),
                      std::array{memory.first_moment.data(), memory.second_moment.data()}, memory.parameters.size());
    benchmark::ClobberMemory();
  }
  count_flops<L>(state);
}

template <Model M, typename Steps>
void training_step(benchmark::State& state) {
  using Runner = HostRunner<backend::Eigen>;
  const backend::Eigen backend;
  Network<M> network{Seed{0}, backend};
  internal::EpochTrainer<M, backend::Eigen, float, CrossEntropy, Adam, internal::NoTeacher, Steps> epoch_trainer(
      network, {}, {}, {});
  run_epochs<Runner>(state, backend, epoch_trainer,
                     {epoch_of_batches<backend::Eigen>(64), 64, training_step_flops<M>(64)});
}

template <std::size_t In, std::size_t Out>
void register_layer() {
  using L = Linear<In, Out>;
  const auto add = [](const std::string& name, const char* way, void (*run)(benchmark::State&)) {
    benchmark::RegisterBenchmark((name + "<" + std::to_string(In) + "," + std::to_string(Out) + ">/" + way).c_str(),
                                 run)
        ->UseRealTime();
  };
  add("forward", "panel", forward_on_panel<L>);
  add("forward", "eigen", forward_by_eigen<L>);
  add("input_gradient", "panel", input_gradient_on_panel<L>);
  add("weight_gradient_and_adam", "panel", weight_gradient_and_adam_on_panel<L>);
  add("weight_gradient_and_adam", "eigen", weight_gradient_and_adam_by_eigen<L>);
}

template <Model M>
void register_steps_of(const std::string& name) {
  const std::string prefix = "training_step<" + name + ">/";
  benchmark::RegisterBenchmark((prefix + "panels").c_str(), training_step<M, panel::PanelSteps<M, float>>)
      ->UseRealTime();
  benchmark::RegisterBenchmark((prefix + "operations").c_str(),
                               training_step<M, backend::GenericSteps<M, backend::Eigen, float>>)
      ->UseRealTime();
}

[[maybe_unused]] const bool registered = [] {
  register_layer<784, 20>();
  register_layer<20, 20>();
  register_layer<784, 1200>();
  register_layer<1200, 1200>();
  register_layer<1200, 10>();
  register_steps_of<Student>("Student");
  register_steps_of<Teacher>("Teacher");
  register_steps_of<NormalizedTeacher>("Teacher with LayerNorm");
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
