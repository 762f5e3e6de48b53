// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Benchmarks on a GPU: by events in the stream, so the time is that which the device takes for what an iteration
/// hands it, the gaps in which it waits for the host included. "wall" is the host's time of an iteration.

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>

#include "device_timer.hpp"
#include "retort/backend/thrust/cuda.hpp"

namespace retort::benchmarks {

/// `B`: Thrust<system::Cuda>, or a CUDA backend, whose header is to be included by who names it.
template <typename B>
struct CudaRunner {
  using Backend = B;
  static constexpr bool takes_threads = false;

  static Backend create(unsigned /*threads*/) { return Backend(); }

  static void set_clock(::benchmark::internal::Benchmark& registered) { registered.UseManualTime(); }

  template <typename Work>
  static void measure(::benchmark::State& state, const Backend& backend, Work work) {
    work();  // the first one loads kernels and allocates
    const auto owner = std::make_shared<Backend>(backend);
    DeviceTimer timer(std::shared_ptr<backend::cuda::CudaContext>(owner, &owner->system().context()));
    const auto begin = std::chrono::steady_clock::now();
    for (auto _ : state) {
      timer.start();
      work();
      timer.stop();
      state.SetIterationTime(timer.milliseconds() / 1e3);
    }
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    state.counters["wall"] = ::benchmark::Counter(wall.count(), ::benchmark::Counter::kAvgIterations);
  }
};

}  // namespace retort::benchmarks
