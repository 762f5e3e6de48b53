// SPDX-License-Identifier: MIT
/// Files that may be compressed: the input as a gzip stream, and the input compressed.

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/data/gzip.hpp"

namespace {

using retort::fuzz::require;

/// The bytes as one member of a gzip file.
std::string compressed(std::string_view bytes) {
  z_stream stream{};
  constexpr int gzip = 16 + MAX_WBITS;
  require(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK, "memory");
  std::string member(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write there
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(member.data());
  stream.avail_out = static_cast<uInt>(member.size());
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "room for the compressed bytes");
  member.resize(stream.total_out);
  deflateEnd(&stream);
  return member;
}

std::optional<std::vector<std::uint8_t>> read(std::string_view file, std::uint64_t limit) {
  return retort::fuzz::accepted(
      [&] { return retort::data::read_plain_or_gzip(retort::fuzz::input_file("bytes", file), limit); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = retort::fuzz::text_of(data, size);
  constexpr std::uint64_t small_limit = 1'000;
  for (const std::uint64_t limit : {small_limit, retort::fuzz::size_limit}) {
    const auto bytes = read(input, limit);
    require(!bytes || bytes->size() <= limit, "no more than the limit");
  }

  // A file of two members holds what both hold. With a blank before them the bytes are no archive of another kind.
  const std::string content = std::string(" ").append(input);
  const std::string_view first = std::string_view(content).substr(0, content.size() / 2);
  const std::string file = compressed(first) + compressed(std::string_view(content).substr(first.size()));
  const auto bytes = read(file, retort::fuzz::size_limit);
  require(bytes && retort::fuzz::text_of(bytes->data(), bytes->size()) == content, "what was compressed reads back");
  require(!read(std::string_view(file).substr(0, file.size() - 1), retort::fuzz::size_limit),
          "a short file is refused");
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const std::string member = compressed("0,1,2\n");
  std::string wrong_checksum = member;
  wrong_checksum[member.size() - 8] ^= 1;
  return {
      {"plain", "0,1,2\n"},
      {"one_member", member},
      {"two_members", member + compressed("3,4\n")},
      {"empty_member", compressed("")},
      {"beyond_the_small_limit", compressed(std::string(100'000, ','))},
      {"beyond_both_limits", compressed(std::string(2 * size_limit, '\0'))},
      {"wrong_checksum", wrong_checksum},
      {"bytes_after_the_stream", member + "x"},
      {"half_a_magic_number_after_the_stream", member + "\x1F"},
      {"cut", member.substr(0, member.size() / 2)},
      {"only_the_magic_number", "\x1F\x8B"},
      {"another_archive", "\x28\xB5\x2F\xFD packed"},
      {"nothing", ""},
  };
}
