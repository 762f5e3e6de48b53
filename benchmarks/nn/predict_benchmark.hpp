// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Inference: one sample at a time, and in batches.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "models.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/evaluate.hpp"
#include "runner.hpp"

namespace retort::benchmarks {

/// One sample from the host's memory to the host's memory: how long an answer takes.
template <Model M, typename Runner>
void predict_one(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t /*batch*/) {
  const Network<M, typename Runner::Backend> network{Seed{0}, backend};
  std::array<float, M::input_size> input{};
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i] = static_cast<float>(i % 7) / 7.0f;
  }
  Runner::measure(state, backend, [&] {
    ::benchmark::DoNotOptimize(input.data());
    ::benchmark::DoNotOptimize(network.predict(input));
  });
  state.counters["FLOP/s"] =
      ::benchmark::Counter(static_cast<double>(M::flops), ::benchmark::Counter::kIsIterationInvariantRate);
}

/// A batch in the backend's memory.
template <Model M, typename Runner>
void predict_many(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch) {
  const Network<M, typename Runner::Backend> network{Seed{0}, backend};
  const std::vector<float> values(batch * M::input_size, 0.5f);
  auto inputs = backend.template allocate<float>(values.size());
  auto logits = backend.template allocate<float>(batch * M::output_size);
  copy_from_host(backend, std::span<const float>(values), inputs.data());
  Runner::measure(state, backend, [&] {
    predict_batch(backend, M{},
                  backend::InferArguments<float>{network.parameter_data(), network.buffer_data(), inputs.data(),
                                                 logits.data(), batch});
    ::benchmark::DoNotOptimize(logits.data());
  });
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["FLOP/s"] =
      ::benchmark::Counter(static_cast<double>(batch * M::flops), ::benchmark::Counter::kIsIterationInvariantRate);
}

/// All samples of a dataset in the host's memory, of bytes as images are, or of real numbers.
template <Model M, typename Number, typename Runner>
void predict_dataset_of(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t samples) {
  const Network<M, typename Runner::Backend> network{Seed{0}, backend};
  const data::Dataset dataset{data::Matrix<Number>(samples, M::input_size)};
  Runner::measure(state, backend, [&] { ::benchmark::DoNotOptimize(predict_all(network, dataset)); });
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["FLOP/s"] =
      ::benchmark::Counter(static_cast<double>(samples * M::flops), ::benchmark::Counter::kIsIterationInvariantRate);
}

template <typename Runner>
bool register_predictions() {
  const std::initializer_list<std::int64_t> one{1};
  register_benchmark<Runner>("predict_one<Student>", one, predict_one<Student, Runner>);
  register_benchmark<Runner>("predict_one<Teacher>", one, predict_one<Teacher, Runner>);
  register_benchmark<Runner>("predict_batch<Student>", {64, 10'000}, predict_many<Student, Runner>);
  register_benchmark<Runner>("predict_batch<Teacher>", {64, 1024}, predict_many<Teacher, Runner>);
  register_benchmark<Runner>("predict_all<Student>/bytes", {10'000}, predict_dataset_of<Student, std::uint8_t, Runner>);
  register_benchmark<Runner>("predict_all<Student>/reals", {10'000}, predict_dataset_of<Student, float, Runner>);
  if constexpr (!Runner::Backend::host_memory) {
    register_benchmark<Runner>("predict_batch<Teacher>", {4096}, predict_many<Teacher, Runner>);
  }
  return true;
}

}  // namespace retort::benchmarks
