// SPDX-License-Identifier: MIT
/// The teacher to a file and back. Saving waits until the disk has it.

#include "retort/io/safetensors.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <filesystem>

#include "../../tests/temporary_folder.hpp"
#include "models.hpp"
#include "retort/backend/eigen/backend.hpp"
#include "retort/core/philox.hpp"
#include "retort/nn/network.hpp"

namespace retort::benchmarks {

namespace {

void count_bytes(benchmark::State& state, const std::filesystem::path& file) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(std::filesystem::file_size(file)));
}

void save(benchmark::State& state) {
  const test::TemporaryFolder folder;
  const Network<Teacher> network{Seed{0}};
  for (auto _ : state) {
    io::save_safetensors(network, folder / "teacher.safetensors");
  }
  count_bytes(state, folder / "teacher.safetensors");
}

void load(benchmark::State& state) {
  const test::TemporaryFolder folder;
  Network<Teacher> network{Seed{0}};
  io::save_safetensors(network, folder / "teacher.safetensors");
  for (auto _ : state) {
    io::load_safetensors(network, folder / "teacher.safetensors");
  }
  count_bytes(state, folder / "teacher.safetensors");
}

[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("safetensors/save", save)->UseRealTime();
  benchmark::RegisterBenchmark("safetensors/load", load)->UseRealTime();
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
