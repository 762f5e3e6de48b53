// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A batch out of a dataset in the backend's memory: pick, augment, normalise.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <variant>

#include "models.hpp"
#include "retort/core/permutation.hpp"
#include "retort/core/philox.hpp"
#include "retort/data/augment.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/matrix.hpp"
#include "retort/train/resident_dataset.hpp"
#include "runner.hpp"

namespace retort::benchmarks {

/// The digits as floats in place of bytes.
inline const data::Dataset& real_digits() {
  static const data::Dataset reals = [] {
    const auto& bytes = std::get<data::Matrix<std::uint8_t>>(digits().features());
    data::Matrix<float> values(bytes.rows(), bytes.columns(), {bytes.values().begin(), bytes.values().end()});
    return data::Dataset(std::move(values), digits().labels(), digits().classes(), digits().image());
  }();
  return reals;
}

template <typename Runner>
void gather(::benchmark::State& state, const typename Runner::Backend& backend, std::size_t batch,
            const data::Dataset& dataset, const data::Augmentation& augmentation = {}) {
  const internal::ResidentDataset resident(backend, dataset);
  const data::DatasetView& data = resident.view();
  auto order = backend.template allocate<std::uint32_t>(data.size);
  shuffle_samples(backend, RandomPermutation(static_cast<std::uint32_t>(data.size), {Seed{0}, Stream::shuffle, 0}),
                  order.data());
  auto inputs = backend.template allocate<float>(batch * data.features);
  std::size_t first = 0;
  Runner::measure(state, backend, [&] {
    gather_batch(backend, data, std::as_const(order).data() + first, batch, data::View{augmentation, Seed{0}, 0},
                 inputs.data());
    ::benchmark::DoNotOptimize(inputs.data());
    first = (first + batch) % data.size;
  });
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(inputs.size() * sizeof(float)));
}

template <typename Runner>
bool register_gathers() {
  const std::initializer_list<std::int64_t> batches{64};
  using Backend = typename Runner::Backend;
  register_benchmark<Runner>("gather_bytes", batches,
                             [](::benchmark::State& state, const Backend& backend, std::size_t batch) {
                               gather<Runner>(state, backend, batch, digits());
                             });
  register_benchmark<Runner>("gather_bytes/shifted", batches,
                             [](::benchmark::State& state, const Backend& backend, std::size_t batch) {
                               gather<Runner>(state, backend, batch, digits(), {.shift = 2});
                             });
  register_benchmark<Runner>("gather_bytes/affine", batches,
                             [](::benchmark::State& state, const Backend& backend, std::size_t batch) {
                               gather<Runner>(state, backend, batch, digits(), affine);
                             });
  register_benchmark<Runner>("gather_bytes/elastic", batches,
                             [](::benchmark::State& state, const Backend& backend, std::size_t batch) {
                               gather<Runner>(state, backend, batch, digits(), {.elastic = 1.4});
                             });
  register_benchmark<Runner>("gather_bytes/noisy", batches,
                             [](::benchmark::State& state, const Backend& backend, std::size_t batch) {
                               gather<Runner>(state, backend, batch, digits(), {.noise = 0.1});
                             });
  register_benchmark<Runner>("gather_floats", batches,
                             [](::benchmark::State& state, const Backend& backend, std::size_t batch) {
                               gather<Runner>(state, backend, batch, real_digits());
                             });
  return true;
}

}  // namespace retort::benchmarks
