/// The register tiles with operands from the first-level cache and from the second: what the products of the layers can
/// reach at most.

#include "retort/simd/tile.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "retort/core/aligned_buffer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::benchmarks {

namespace {

using V = simd::Vector<float>;

void count_flops(benchmark::State& state, std::size_t sums, std::size_t depth) {
  state.counters["FLOP/s"] =
      benchmark::Counter(2.0 * static_cast<double>(sums * depth), benchmark::Counter::kIsIterationInvariantRate);
}

void outer_tile(benchmark::State& state) {
  const auto depth = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t rows = simd::tile_rows;
  constexpr std::size_t vectors = simd::tile_vectors<V>;
  const AlignedBuffer<float> left(rows * depth);                  // (rows, depth)
  const AlignedBuffer<float> right(depth * simd::tile_width<V>);  // (depth, tile_width)
  AlignedBuffer<float> result(rows * vectors * simd::lanes<V>);   // (rows, tile_width)
  for (auto _ : state) {
    simd::Tile<V, rows, vectors> tile;
    tile.fill(0.0f);
    simd::outer_tile<V, rows, vectors>(tile, {left.data(), depth, 1}, {right.data(), simd::tile_width<V>}, depth);
    for (std::size_t i = 0; i < rows * vectors; ++i) {
      tile.sums[i / vectors][i % vectors].store_aligned(result.data() + i * simd::lanes<V>);
    }
    benchmark::ClobberMemory();
  }
  count_flops(state, rows * simd::tile_width<V>, depth);
}

void dot_tile(benchmark::State& state) {
  const auto depth = static_cast<std::size_t>(state.range(0));
  const AlignedBuffer<float> weights(simd::lanes<V> * depth);  // (lanes, depth)
  const AlignedBuffer<float> sample(depth);
  AlignedBuffer<float> result(simd::lanes<V>);
  for (auto _ : state) {
    simd::dot_tile<V, 1, simd::lanes<V>>({sample.data(), depth}, {weights.data(), depth}, depth, result.data());
    benchmark::ClobberMemory();
  }
  count_flops(state, simd::lanes<V>, depth);
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("outer_tile", outer_tile)->ArgName("depth")->Arg(96)->Arg(1200);
  benchmark::RegisterBenchmark("dot_tile", dot_tile)->ArgName("depth")->Arg(96)->Arg(784);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
