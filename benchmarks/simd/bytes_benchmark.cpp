// SPDX-License-Identifier: MIT
/// Pixels to normalised numbers: a batch of 64 images. Bytes read and written count.

#include "retort/simd/bytes.hpp"
#include "retort/simd/vector.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "retort/core/aligned_buffer.hpp"

namespace retort::benchmarks {

namespace {

using V = simd::Vector<float>;

void normalize_bytes(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(64 * 784, 7);
  AlignedBuffer<float> values(bytes.size());
  const V scale(2.0f / 255.0f);
  const V offset(-1.0f);
  for (auto _ : state) {
    for (std::size_t i = 0; i < bytes.size(); i += simd::lanes<V>) {
      fma(simd::load_bytes<V>(bytes.data() + i), scale, offset).store_aligned(values.data() + i);
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>((1 + sizeof(float)) * bytes.size()));
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("normalize_bytes", normalize_bytes);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
