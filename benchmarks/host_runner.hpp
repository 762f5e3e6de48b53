// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Benchmarks of the backends that compute on the host: by the wall clock, which counts what all threads do.

#include <benchmark/benchmark.h>

#include <type_traits>

namespace retort::benchmarks {

template <typename B>
struct HostRunner {
  using Backend = B;
  static constexpr bool from_threads = std::is_constructible_v<Backend, unsigned>;
  static constexpr bool takes_threads =
      from_threads || requires(typename Backend::Options options) { options.threads; };

  static Backend create(unsigned threads) {
    if constexpr (from_threads) {
      return Backend(threads);
    } else if constexpr (takes_threads) {
      return Backend({.threads = threads});
    } else {
      return Backend();
    }
  }

  static void set_clock(::benchmark::internal::Benchmark& registered) { registered.UseRealTime(); }

  template <typename Work>
  static void measure(::benchmark::State& state, const Backend& /*backend*/, Work work) {
    for (auto _ : state) {
      work();
      ::benchmark::ClobberMemory();
    }
  }
};

}  // namespace retort::benchmarks
