// SPDX-License-Identifier: MIT
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

/// One tile, in a function of its own as the products of the layers have it: inlined into other loops, compilers make
/// less of it. `result`: (rows, tile_width).
template <typename Operand>
[[gnu::noinline]] void multiply_tile(const float* left, Operand right, std::size_t depth, float* result) {
  simd::Tile<V, simd::tile_rows, simd::tile_vectors<V>> tile;
  tile.fill(0.0f);
  simd::outer_tile<V, simd::tile_rows, simd::tile_vectors<V>>(tile, {left, depth, 1}, right, depth);
  for (std::size_t r = 0; r < simd::tile_rows; ++r) {
    for (std::size_t v = 0; v < simd::tile_vectors<V>; ++v) {
      tile.sums[r][v].store_aligned(result + r * simd::tile_width<V> + v * simd::lanes<V>);
    }
  }
}

/// The right operand: numbers, or bytes that become numbers in registers.
template <typename Element, typename Operand>
void outer_tile(benchmark::State& state) {
  const auto depth = static_cast<std::size_t>(state.range(0));
  const AlignedBuffer<float> left(simd::tile_rows * depth);            // (rows, depth)
  const AlignedBuffer<Element> right(depth * simd::tile_width<V>);     // (depth, tile_width)
  AlignedBuffer<float> result(simd::tile_rows * simd::tile_width<V>);  // (rows, tile_width)
  for (auto _ : state) {
    multiply_tile(left.data(), Operand{right.data(), simd::tile_width<V>}, depth, result.data());
    benchmark::ClobberMemory();
  }
  count_flops(state, simd::tile_rows * simd::tile_width<V>, depth);
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
  benchmark::RegisterBenchmark("outer_tile", outer_tile<float, simd::VectorOperand<float>>)
      ->ArgName("depth")
      ->Arg(96)
      ->Arg(1200);
  benchmark::RegisterBenchmark("outer_tile/bytes", outer_tile<std::uint8_t, simd::ByteOperand>)
      ->ArgName("depth")
      ->Arg(96)
      ->Arg(1200);
  benchmark::RegisterBenchmark("dot_tile", dot_tile)->ArgName("depth")->Arg(96)->Arg(784);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
