// SPDX-License-Identifier: MIT
/// @file
/// What a safetensors file takes whose header is as long as may be.

#include <cstddef>
#include <cstdint>
#include <string>

#include "allocation_peak.hpp"
#include "brief.hpp"
#include "catch.hpp"
#include "retort/core/error.hpp"
#include "retort/io/safetensors_file.hpp"
#include "temporary_folder.hpp"

using namespace retort;

namespace {

// Of as many empty tensors as fit into `bytes`.
std::string header_of(std::size_t bytes) {
  std::string text = "{";
  for (std::size_t i = 0; text.size() + 80 < bytes; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  return text + '}';
}

void write(const std::filesystem::path& path, const std::string& header) {
  const std::uint64_t size = header.size();
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  test::write_file(path, bytes + header);
}

}  // namespace

TEST_CASE("A header takes at most ten times its limit, and one beyond it nothing") {
  const test::TemporaryFolder folder;
  const auto path = folder / "tensors";
  const std::size_t limit = io::default_header_limit / (test::brief ? 64 : 1);
  write(path, header_of(limit));
  const auto tensors = [&](std::uintmax_t most) {
    const io::SafetensorsFile file = io::SafetensorsFile::read(path, most);
    return file.tensors().size();
  };
  std::size_t peak = test::peak_of([&] { CHECK(tensors(limit) > limit / 80); });
  if (test::measures_peaks) {
    CHECK(peak <= 10 * limit);
  }
  write(path, header_of(2 * io::default_header_limit));
  peak = test::peak_of([&] { CHECK_THROWS_AS(io::SafetensorsFile::read(path), FormatError); });
  if (test::measures_peaks) {
    CHECK(peak <= 100'000);
  }
  write(path, header_of(2 * limit));
  CHECK(tensors(2 * limit) > limit / 40);
}
