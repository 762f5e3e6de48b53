// SPDX-License-Identifier: MIT
// What one core, and two, can do at most: independent chains of fused multiply-adds on the widest registers that were
// compiled in, with nothing read from memory.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <xsimd/xsimd.hpp>

namespace {

using V = xsimd::batch<float>;

void fma_peak(benchmark::State& state) {
  constexpr std::size_t steps = 10'000;
  V a(1.0f), b(1.1f), c(1.2f), d(1.3f), e(1.4f), f(1.5f), g(1.6f), h(1.7f), i(1.8f), j(1.9f), k(2.0f), l(2.1f);
  const V factor(0.999f);
  const V summand(0.001f);
  for (auto _ : state) {
    for (std::size_t step = 0; step < steps; ++step) {
      // Each sum depends on its last value alone, so twelve are under way at once.
      for (V* sum : {&a, &b, &c, &d, &e, &f, &g, &h, &i, &j, &k, &l}) {
        *sum = xsimd::fma(*sum, factor, summand);
      }
    }
    benchmark::DoNotOptimize(V(a + b + c + d + e + f + g + h + i + j + k + l));
  }
  // Of this thread; the threads' are added up.
  state.counters["FLOP/s"] = benchmark::Counter(12.0 * 2.0 * V::size * steps * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate);
}

BENCHMARK(fma_peak)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
