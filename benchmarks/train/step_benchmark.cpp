/// Training steps with everything that belongs to one: gather, forward, loss, backward, Adam. An iteration is an epoch
/// of 64 batches of 64 samples; the times are of one step.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "models.hpp"

namespace {

using retort::Adam;
using retort::CrossEntropy;
using retort::HintonLoss;
using retort::Network;
using retort::NoTeacher;
using retort::Seed;
using retort::StepEngine;
using retort::benchmarks::digits;
using retort::benchmarks::Student;
using retort::benchmarks::Teacher;
using Backend = retort::backend::Eigen;

constexpr std::size_t batch_size = 64;

/// Runs epochs on an engine. `flops` is one step's work, of which the rate is reported.
void run_epochs(benchmark::State& state, retort::TrainingEngine& engine, retort::data::RandomShift shift,
                double flops) {
  engine.begin(digits(), batch_size, shift);
  std::vector<std::uint32_t> order(digits().size());
  std::iota(order.begin(), order.end(), 0u);
  const retort::Schedule schedule;
  std::uint32_t epoch = 0;
  const std::size_t steps = order.size() / batch_size;
  for (auto _ : state) {
    engine.train_epoch({.order = order,
                        .batch_size = batch_size,
                        .shift = shift,
                        .epoch = epoch,
                        .first_step = static_cast<std::uint32_t>(epoch * steps),
                        .schedule = &schedule},
                       [](std::size_t, const retort::backend::LossSum&) {});
    ++epoch;
  }
  using benchmark::Counter;
  const auto steps_per_epoch = static_cast<double>(steps);
  state.counters["time/step"] = Counter(steps_per_epoch, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["FLOP/s"] = Counter(steps_per_epoch * flops, Counter::kIsIterationInvariantRate);
}

template <typename Model>
void train_step(benchmark::State& state) {
  Network<Model> network{Seed{0}, Backend(static_cast<unsigned>(state.range(0)))};
  StepEngine<Model, Backend, float, CrossEntropy, Adam, NoTeacher> engine(network, {}, {}, {});
  run_epochs(state, engine, {}, retort::benchmarks::training_step_flops<Model>(batch_size));
}

/// With the teacher's logits looked up, or computed in each step as augmented images need it.
void distillation_step(benchmark::State& state, bool online) {
  const Backend backend(static_cast<unsigned>(state.range(0)));
  const Network<Teacher> teacher{Seed{0}, backend};
  Network<Student> student{Seed{1}, backend};
  StepEngine<Student, Backend, float, HintonLoss, Adam, retort::Teacher<Teacher, Backend, float>> engine(
      student, {}, {}, {&teacher});
  const double teacher_flops = online ? static_cast<double>(batch_size * Teacher::flops) : 0.0;
  run_epochs(state, engine, {.pixels = online ? 2u : 0u},
             teacher_flops + retort::benchmarks::training_step_flops<Student>(batch_size));
}

}  // namespace

BENCHMARK(train_step<Student>)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(train_step<Teacher>)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(distillation_step, cached, false)->ArgName("threads")->Arg(1)->UseRealTime();
BENCHMARK_CAPTURE(distillation_step, online, true)
    ->ArgName("threads")
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
