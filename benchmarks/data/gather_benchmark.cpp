/// A batch out of a dataset: pick, shift, normalise.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "models.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/permutation.hpp"
#include "retort/data/matrix.hpp"

namespace {

using retort::benchmarks::digits;

void gather(benchmark::State& state, const retort::data::Dataset& dataset, std::size_t pixels) {
  constexpr std::size_t batch_size = 64;
  const retort::backend::Eigen backend(1);
  const retort::data::DatasetView data = dataset.view();
  std::vector<std::uint32_t> order(data.size);
  retort::random_permutation(order, {retort::Seed{0}, retort::Stream::shuffle, 0});
  std::vector<float> inputs(batch_size * data.features);
  std::size_t first = 0;
  for (auto _ : state) {
    gather_batch(backend, data, order.data() + first, batch_size, {.pixels = pixels}, retort::Seed{0}, 0u,
                 inputs.data());
    benchmark::DoNotOptimize(inputs.data());
    benchmark::ClobberMemory();
    first = (first + batch_size) % data.size;
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(inputs.size() * sizeof(float)));
}

void gather_bytes(benchmark::State& state) { gather(state, digits(), static_cast<std::size_t>(state.range(0))); }

void gather_floats(benchmark::State& state) {
  const auto& bytes = std::get<retort::data::Matrix<std::uint8_t>>(digits().features());
  retort::data::Matrix<float> values(bytes.rows(), bytes.columns(), {bytes.values().begin(), bytes.values().end()});
  const retort::data::Dataset floats(std::move(values), digits().labels(), digits().classes(), digits().image());
  gather(state, floats, 0);
}

}  // namespace

BENCHMARK(gather_bytes)->ArgName("shift")->Arg(0)->Arg(2);
BENCHMARK(gather_floats);
