// SPDX-License-Identifier: MIT
/// One pass of Adam over as many parameters as the teacher has, beside what the memory allows: the same seven arrays
/// read or written, with next to no arithmetic.

#include "retort/optim/adam.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "models.hpp"
#include "retort/backend/eigen/eigen.hpp"
#include "retort/backend/eigen/optimizer.hpp"
#include "retort/core/aligned_buffer.hpp"

namespace retort::benchmarks {

namespace {

/// Moves a parameter and its two moments by the gradient.
struct AddGradient {
  void operator()(auto&& parameter, const auto& gradient, auto&& mean, auto&& square) const {
    parameter += gradient;
    mean += gradient;
    square += gradient;
  }
};

template <typename Rule>
void update(benchmark::State& state, const Rule& rule) {
  const backend::Eigen backend(static_cast<unsigned>(state.range(0)));
  constexpr std::size_t size = Teacher::parameter_count;
  AlignedBuffer<float> parameters(size);
  AlignedBuffer<float> gradients(size);
  AlignedBuffer<float> mean(size);
  AlignedBuffer<float> square(size);
  for (auto _ : state) {
    update_parameters(backend, rule, parameters.data(), std::as_const(gradients).data(),
                      std::array{mean.data(), square.data()}, size);
    benchmark::ClobberMemory();
  }
  constexpr std::size_t arrays = 4 + 3;  // read and written
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(arrays * sizeof(float) * size));
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const char* name, auto rule) {
    benchmark::RegisterBenchmark(name, [rule](benchmark::State& state) { update(state, rule); })
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->UseRealTime();
  };
  add("update/adam", Adam{}.rule<float>(1, 1e-9));
  add("update/memory_floor", AddGradient{});
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
