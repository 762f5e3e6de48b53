// SPDX-License-Identifier: MIT
/// @file
/// Answers of networks of bytes: by AVX512_VNNI where the processor has it, and by the same networks in float.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/nn/network.hpp"
#include "retort/nn/weight_format.hpp"
#include "retort/quantization/integer_network.hpp"
#include "retort/quantization/quantize.hpp"
#include "retort/train/evaluate.hpp"
#include "retort/train/preprocessing.hpp"

namespace retort::benchmarks {

namespace {

/// With random weights: no time depends on them.
template <Model M>
Network<M> untrained() {
  Network<M> network{Seed{0}};
  network.set_preprocessing(preprocessing_of(digits()));
  return network;
}

/// The logits of `samples` images of bytes.
template <Model M>
void in_float(benchmark::State& state, std::size_t samples) {
  const auto network = untrained<M>();
  for (auto _ : state) {
    benchmark::DoNotOptimize(predict_all(network, digits(samples)));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(samples));
}

template <Model M>
void in_integers(benchmark::State& state, std::size_t samples) {
  const IntegerNetwork network{quantize<Int8>(untrained<M>(), digits())};
  for (auto _ : state) {
    benchmark::DoNotOptimize(predict_integer(network, digits(samples)));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(samples));
}

template <Model M>
void add(const std::string& model) {
  for (const std::size_t samples : {1u, 64u, 10'000u}) {
    const std::string end = "<" + model + ">/" + std::to_string(samples);
    benchmark::RegisterBenchmark(("answers in float" + end).c_str(), in_float<M>, samples);
    benchmark::RegisterBenchmark(("answers in int8" + end).c_str(), in_integers<M>, samples);
  }
}

[[maybe_unused]] const bool registered = [] {
  add<Student>("Student");
  add<PooledStudent>("PooledStudent");
  add<Teacher>("Teacher");
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
