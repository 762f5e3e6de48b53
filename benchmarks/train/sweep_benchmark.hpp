// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Several students at once. An iteration is a sweep of cached distillations, everything counted: the networks' initial
/// weights, the logits of a teacher as small as the student, the epochs. "steps/s" is of all students together: two on
/// two threads against one on one thread says what a sweep gains from the second core; against two on one thread the
/// work is the same, and the logits are shared too. On a GPU "time/epoch" is of the epochs alone, all students
/// together: 132, as many as an H200 has multiprocessors, against one says what the others cost.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "models.hpp"
#include "retort/core/error.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/dataset.hpp"
#include "retort/nn/network.hpp"
#include "retort/train/sweep.hpp"
#include "retort/train/sweep_grid.hpp"

namespace retort::benchmarks {

/// Of the sweeps' seconds an epoch; the mean would have the first one's, which loads kernels.
inline double median(std::vector<double> epoch_seconds) {
  const auto middle = epoch_seconds.begin() + static_cast<std::ptrdiff_t>(epoch_seconds.size() / 2);
  std::ranges::nth_element(epoch_seconds, middle);
  return *middle;
}

template <typename Runner>
void sweep(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t students) {
  using Backend = typename Runner::Backend;
  constexpr std::size_t batch = 64;
  constexpr std::size_t epochs = Backend::host_memory ? 10 : 5;
  constexpr std::size_t steps = epochs * (Backend::host_memory ? 256 : 750);
  const data::Dataset& data = digits(steps / epochs * batch);
  const Network<Student, Backend> teacher{Seed{0}, backend};
  const Sweep<Student, Backend> students_of_seeds{
      teacher, sweep_grid(SweepSetting<>{}, SweepAxis{&SweepSetting<>::seed, consecutive_seeds(students, 1)}), backend};
  std::vector<double> epoch_seconds;
  Runner::measure(state, backend, [&] {
    auto results = students_of_seeds.fit(data, {.epochs = epochs, .batch_size = batch});
    epoch_seconds.push_back(results.front().seconds() / static_cast<double>(epochs));
  });
  using ::benchmark::Counter;
  const auto all_steps = static_cast<double>(students * steps);
  state.counters["steps/s"] = Counter(all_steps, Counter::kIsIterationInvariantRate);
  state.counters["FLOP/s"] =
      Counter(all_steps * training_step_flops<Student>(batch), Counter::kIsIterationInvariantRate);
  if constexpr (!Backend::host_memory) {  // else each student has seconds of its own
    state.counters["time/epoch"] = Counter(median(epoch_seconds));
    state.counters["time/step"] =
        Counter(static_cast<double>(steps), Counter::kIsIterationInvariantRate | Counter::kInvert);
  }
}

/// Registers "sweep/BACKEND/students:N", and with "/threads:M" where the backend takes threads.
template <typename Runner>
bool register_sweeps() {
  const auto run = [](::benchmark::State& state) {
    try {
      const typename Runner::Backend backend =
          Runner::create(Runner::takes_threads ? static_cast<unsigned>(state.range(1)) : 0u);
      state.SetLabel(backend.describe());
      sweep<Runner>(state, backend, static_cast<std::size_t>(state.range(0)));
    } catch (const DeviceError& error) {
      state.SkipWithError((std::string("skipped: ") + error.what()).c_str());
    }
  };
  auto* registered = ::benchmark::RegisterBenchmark((std::string("sweep/") + Runner::Backend::name).c_str(), run);
  Runner::set_clock(*registered);
  if constexpr (Runner::takes_threads) {
    registered->ArgNames({"students", "threads"})->Args({1, 1})->Args({2, 1})->Args({2, 2});
  } else {
    registered->ArgName("students")->Arg(1)->Arg(132)->Arg(264);
  }
  return true;
}

}  // namespace retort::benchmarks
