// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What all benchmarks do alike: their names and arguments, and what happens where there is no such device.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "retort/core/error.hpp"

namespace retort::benchmarks {

/// Registers benchmark(state, backend, batch) as "NAME/BACKEND/batch:N", and with "/threads:N" where the backend takes
/// threads. A Runner (host_runner.hpp, cuda_runner.hpp) makes the backend and measures. Where there is no device for
/// it, the benchmark says so and the others go on.
template <typename Runner, typename Benchmark>
void register_benchmark(std::string_view name, std::initializer_list<std::int64_t> batches, Benchmark benchmark) {
  const auto run = [benchmark](::benchmark::State& state) {
    try {
      const typename Runner::Backend backend =
          Runner::create(Runner::takes_threads ? static_cast<unsigned>(state.range(1)) : 0u);
      state.SetLabel(backend.describe());
      benchmark(state, backend, static_cast<std::size_t>(state.range(0)));
    } catch (const DeviceError& error) {
      state.SkipWithError((std::string("skipped: ") + error.what()).c_str());
    }
  };
  auto* registered = ::benchmark::RegisterBenchmark((std::string(name) + "/" + Runner::Backend::name).c_str(), run);
  Runner::set_clock(*registered);
  for (const std::int64_t batch : batches) {
    if constexpr (Runner::takes_threads) {
      registered->Args({batch, 1})->Args({batch, 2});
    } else {
      registered->Args({batch});
    }
  }
  if constexpr (Runner::takes_threads) {
    registered->ArgNames({"batch", "threads"});
  } else {
    registered->ArgName("batch");
  }
}

}  // namespace retort::benchmarks
