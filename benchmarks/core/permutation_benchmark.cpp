// SPDX-License-Identifier: MIT
/// The order of an epoch of MNIST, and of one sample more than a power of two, where every second number is drawn anew.

#include "retort/core/permutation.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "retort/core/philox.hpp"

namespace retort::benchmarks {

namespace {

void permutation(benchmark::State& state) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    random_permutation(order, {Seed{0}, Stream::shuffle, 0});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("permutation", permutation)->ArgName("samples")->Arg(60'000)->Arg(32'769);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
