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
#include "retort/nn/network.hpp"
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

template <typename Runner>
bool register_predictions() {
  const std::initializer_list<std::int64_t> one{1};
  register_benchmark<Runner>("predict_one<Student>", one, predict_one<Student, Runner>);
  register_benchmark<Runner>("predict_one<Teacher>", one, predict_one<Teacher, Runner>);
  register_benchmark<Runner>("predict_batch<Student>", {64, 10'000}, predict_many<Student, Runner>);
  register_benchmark<Runner>("predict_batch<Teacher>", {64, 1024}, predict_many<Teacher, Runner>);
  if constexpr (!Runner::Backend::host_memory) {
    register_benchmark<Runner>("predict_batch<Teacher>", {4096}, predict_many<Teacher, Runner>);
  }
  return true;
}

}  // namespace retort::benchmarks
