/// Inference: one sample at a time, and in batches.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <vector>

#include "models.hpp"

namespace {

using retort::Network;
using retort::Seed;
using retort::benchmarks::Student;
using retort::benchmarks::Teacher;

template <typename Model>
void predict_one(benchmark::State& state) {
  const Network<Model> network{Seed{0}};
  std::array<float, Model::input_size> input{};
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i] = static_cast<float>(i % 7) / 7.0f;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(input.data());
    benchmark::DoNotOptimize(network.predict(input));
  }
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(Model::flops), benchmark::Counter::kIsIterationInvariantRate);
}

template <typename Model>
void predict_batch(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  const retort::backend::Eigen backend(static_cast<unsigned>(state.range(1)));
  const Network<Model> network{Seed{0}, backend};
  const std::vector<float> inputs(batch * Model::input_size, 0.5f);
  std::vector<float> logits(batch * Model::output_size);
  for (auto _ : state) {
    network.predict(inputs, logits);
    benchmark::DoNotOptimize(logits.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(batch * Model::flops), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

BENCHMARK(predict_one<Student>);
BENCHMARK(predict_one<Teacher>);
BENCHMARK(predict_batch<Student>)
    ->ArgNames({"batch", "threads"})
    ->Args({64, 1})
    ->Args({10'000, 1})
    ->Args({10'000, 2})
    ->UseRealTime();
BENCHMARK(predict_batch<Teacher>)
    ->ArgNames({"batch", "threads"})
    ->Args({64, 1})
    ->Args({1024, 1})
    ->Args({1024, 2})
    ->UseRealTime();
