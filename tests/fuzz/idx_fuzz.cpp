// SPDX-License-Identifier: MIT
/// IDX files of every rank: what loads, saves and loads equal, and labels in unsigned bytes are those bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/data/idx.hpp"

namespace {

template <std::size_t Rank>
void check(const std::filesystem::path& path) {
  using retort::data::IdxArray;
  using retort::data::read_idx;
  const auto read = [](const std::filesystem::path& file) { return read_idx<Rank>(file, retort::fuzz::size_limit); };
  const std::optional<IdxArray<Rank>> array = retort::fuzz::accepted([&] { return read(path); });
  if (array) {
    const std::filesystem::path again = retort::fuzz::input_file("again", "");
    retort::data::write_idx(again, *array);
    retort::fuzz::require(read(again) == *array, "an IDX file saves and loads equal");
  }
}

void check_labels(const std::filesystem::path& path) {
  using retort::data::IdxArray;
  using retort::fuzz::accepted;
  using retort::fuzz::size_limit;
  const std::optional<std::vector<std::int32_t>> labels =
      accepted([&] { return retort::data::read_idx_labels(path, size_limit); });
  const std::optional<IdxArray<1>> bytes = accepted([&] { return retort::data::read_idx<1>(path, size_limit); });
  if (bytes) {
    retort::fuzz::require(labels && std::ranges::equal(*labels, bytes->elements), "bytes are labels");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = retort::fuzz::input_file("array", retort::fuzz::text_of(data, size));
  check_labels(path);
  check<1>(path);
  check<2>(path);
  check<3>(path);
  check<4>(path);
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  using namespace std::string_literals;
  return {
      {"labels", "\0\0\x08\x01\0\0\0\x03\x07\x02\x01"s},
      {"matrix", "\0\0\x08\x02\0\0\0\x02\0\0\0\x02\x01\x02\x03\x04"s},
      {"images", "\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x02\xFF\0\x80\x01"s},
      {"rank_4", "\0\0\x08\x04\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x02\x61\x62"s},
      {"int32", "\0\0\x0C\x02\0\0\0\x01\0\0\0\x02\0\0\0\x05\0\0\0\x06"s},
      {"int8", "\0\0\x09\x01\0\0\0\x02\x07\xFF"s},
      {"int16", "\0\0\x0B\x02\0\0\0\x02\0\0\0\x01\x01\x02\xFF\xFE"s},
      {"float32", "\0\0\x0D\x01\0\0\0\x01\x3F\x80\0\0"s},
      {"extents_wrap_around", "\0\0\x08\x04\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s},
      {"product_is_zero_in_64_bits", "\0\0\x08\x03\x80\0\0\0\x80\0\0\0\0\0\0\x04"s},
      {"extent_zero", "\0\0\x08\x01\0\0\0\0"s},
      {"cut_in_the_header", "\0\0\x08\x03\0\0\0"s},
      {"nothing", ""},
  };
}
