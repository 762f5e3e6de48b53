// SPDX-License-Identifier: MIT
/// Images from IDX files, plain and compressed. The bytes are those of the images, decompressed.

#include "retort/data/idx.hpp"

#include <benchmark/benchmark.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <variant>
#include <vector>

#include "../../tests/temporary_folder.hpp"
#include "models.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/matrix.hpp"

namespace retort::benchmarks {

namespace {

/// The bytes of one file into another, compressed as gzip does it.
void compress(const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::vector<std::uint8_t> bytes = data::read_plain_or_gzip(from);
  gzFile file = gzopen(to.c_str(), "wb");
  const auto size = static_cast<unsigned>(bytes.size());
  const bool written = file != nullptr && gzwrite(file, bytes.data(), size) == static_cast<int>(size);
  if (gzclose(file) != Z_OK || !written) {
    throw std::runtime_error(to.string() + ": cannot be written");
  }
}

void read_idx(benchmark::State& state, bool compressed) {
  const auto& images = std::get<data::Matrix<std::uint8_t>>(digits().features());
  const test::TemporaryFolder folder;
  std::filesystem::path file = folder / "images";
  data::write_idx(file, std::array{images.rows(), digits().image().rows, digits().image().columns}, images.values());
  if (compressed) {
    compress(file, folder / "images.gz");
    file = folder / "images.gz";
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(data::read_idx<3>(file));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(images.values().size()));
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const char* name, bool compressed) {
    benchmark::RegisterBenchmark(name, [compressed](benchmark::State& state) {
      read_idx(state, compressed);
    })->UseRealTime();
  };
  add("read_idx/plain", false);
  add("read_idx/gzip", true);
  return true;
}();

}  // namespace

}  // namespace retort::benchmarks
