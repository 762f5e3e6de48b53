/// Pixels to numbers: a batch of 64 images. Bytes read and written count.

#include "retort/simd/bytes.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "retort/core/aligned_buffer.hpp"

namespace retort::benchmarks {

namespace {

void convert_bytes(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(64 * 784, 7);
  AlignedBuffer<float> values(bytes.size());
  for (auto _ : state) {
    for (std::size_t i = 0; i < bytes.size(); i += 16) {
      simd::convert_bytes<16>(bytes.data() + i, 2.0f / 255.0f, -1.0f, values.data() + i);
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>((1 + sizeof(float)) * bytes.size()));
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("convert_bytes", convert_bytes);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
