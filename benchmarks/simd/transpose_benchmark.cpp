// SPDX-License-Identifier: MIT
/// Transposition of a panel's inputs: 64 samples of 784 features, as floats and as bytes. Bytes read and written count.

#include "retort/simd/transpose.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "retort/core/aligned_buffer.hpp"
#include "retort/simd/vector.hpp"

namespace retort::benchmarks {

namespace {

using V = simd::Vector<float>;

constexpr std::size_t samples = 64;
constexpr std::size_t features = 784;

void transpose(benchmark::State& state) {
  const AlignedBuffer<float> from(features * samples);  // (features, samples)
  AlignedBuffer<float> to(samples * features);          // (samples, features)
  for (auto _ : state) {
    simd::transpose<V>({from.data(), samples}, features, samples, {to.data(), features});
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(2 * sizeof(float) * samples * features));
}

void transpose_bytes(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(samples * features);  // (samples, features)
  std::vector<std::uint8_t> columns(features * samples);      // (features, samples)
  std::array<const std::uint8_t*, samples> rows{};
  for (std::size_t r = 0; r < samples; ++r) {
    rows[r] = bytes.data() + r * features;
  }
  constexpr std::size_t height = sizeof(V) < 64 ? 16 : 64;
  for (auto _ : state) {
    for (std::size_t first = 0; first < samples; first += height) {
      for (std::size_t feature = 0; feature < features; feature += 16) {
        simd::transpose_bytes<height / 16>(rows.data() + first, feature, [&](std::size_t column, const auto& packed) {
          std::memcpy(columns.data() + (feature + column) * samples + first, &packed, height);
        });
      }
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(2 * samples * features));
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("transpose", transpose);
  benchmark::RegisterBenchmark("transpose_bytes", transpose_bytes);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
