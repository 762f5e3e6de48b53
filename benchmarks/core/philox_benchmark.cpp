// SPDX-License-Identifier: MIT
/// Random words, side by side as dropout draws them and block by block: those of a teacher's hidden layer.

#include "retort/core/philox.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace retort::benchmarks {

namespace {

constexpr std::size_t words = std::size_t{64} * 1200;

void philox_side_by_side(benchmark::State& state) {
  constexpr std::size_t blocks = 32;
  const RandomStream random{Seed{0}, Stream::dropout, 0};
  std::array<std::uint32_t, 4 * blocks> drawn{};
  for (auto _ : state) {
    for (std::size_t block = 0; block < words / 4; block += blocks) {
      random.fill_blocks<blocks>(block, drawn);
      benchmark::DoNotOptimize(drawn);
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(4 * words));
}

void philox_by_blocks(benchmark::State& state) {
  const RandomStream random{Seed{0}, Stream::dropout, 0};
  for (auto _ : state) {
    for (std::size_t block = 0; block < words / 4; ++block) {
      PhiloxBlock drawn = random.block(block);
      benchmark::DoNotOptimize(drawn);
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(4 * words));
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("philox/side_by_side", philox_side_by_side);
  benchmark::RegisterBenchmark("philox/by_blocks", philox_by_blocks);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
