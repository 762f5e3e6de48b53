#pragma once
/// @file
/// Several students at once. An iteration is a sweep of cached distillations, everything counted: the networks' initial
/// weights, the logits of a teacher as small as the student, the epochs. "steps/s" is of all students together: two on
/// two threads against one on one thread says what a sweep gains from the second core; against two on one thread the
/// work is the same, and the logits are shared too.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

#include "models.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"

namespace retort::benchmarks {

/// Registers "sweep/BACKEND/students:N/threads:M".
template <typename Runner>
bool register_sweeps() {
  const auto run = [](::benchmark::State& state) {
    using Backend = typename Runner::Backend;
    const Backend backend = Runner::create(static_cast<unsigned>(state.range(1)));
    state.SetLabel(backend.describe());
    constexpr std::size_t batch = 64;
    constexpr std::size_t epochs = 10;
    const data::Dataset& data = digits(256 * batch);
    const Network<Student, Backend> teacher{Seed{0}, backend};
    const auto students = static_cast<std::size_t>(state.range(0));
    const Sweep<Student, Backend> sweep{teacher, SweepGrid{.seeds = consecutive_seeds(students, 1)}.settings(),
                                        backend};
    Runner::measure(state, backend, [&] {
      auto results = sweep.fit(data, {.epochs = epochs, .batch_size = batch});
      ::benchmark::DoNotOptimize(results.data());
    });
    using ::benchmark::Counter;
    const auto steps = static_cast<double>(students * epochs * data.size() / batch);
    state.counters["steps/s"] = Counter(steps, Counter::kIsIterationInvariantRate);
    state.counters["FLOP/s"] = Counter(steps * training_step_flops<Student>(batch), Counter::kIsIterationInvariantRate);
  };
  auto* registered = ::benchmark::RegisterBenchmark((std::string("sweep/") + Runner::Backend::name).c_str(), run);
  Runner::set_clock(*registered);
  registered->ArgNames({"students", "threads"})->Args({1, 1})->Args({2, 1})->Args({2, 2});
  return true;
}

}  // namespace retort::benchmarks
