// SPDX-License-Identifier: MIT
/// Headers of safetensors files: four bytes with the size of the data that follows, then the header's text. What parses
/// is written as a text that parses equal.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/io/safetensors_header.hpp"

namespace {

using retort::io::detail::parse_safetensors_header;
using retort::io::detail::SafetensorsHeader;
using retort::io::detail::TensorEntry;

bool equal(const SafetensorsHeader& left, const SafetensorsHeader& right) {
  const auto same = [](const TensorEntry& a, const TensorEntry& b) {
    return std::tie(a.name, a.dtype, a.shape, a.begin, a.end) == std::tie(b.name, b.dtype, b.shape, b.begin, b.end);
  };
  return left.metadata == right.metadata && std::ranges::equal(left.tensors, right.tensors, same);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint32_t data_size = 0;
  if (size < sizeof(data_size)) {
    return 0;
  }
  std::memcpy(&data_size, data, sizeof(data_size));
  const std::string_view text = retort::fuzz::text_of(data + sizeof(data_size), size - sizeof(data_size));
  const std::filesystem::path path = "model.safetensors";
  const std::optional<SafetensorsHeader> header =
      retort::fuzz::accepted([&] { return parse_safetensors_header(path, text, data_size); });
  if (header) {
    const std::string again = retort::io::detail::safetensors_header_text(*header);
    retort::fuzz::require(equal(parse_safetensors_header(path, again, data_size), *header),
                          "a header writes and parses equal");
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const auto seed = [](std::uint32_t data_size, std::string_view text) { return bytes_of(data_size).append(text); };
  return {
      {"two_tensors",
       seed(20, R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                R"("b":{"dtype":"I16","shape":[2],"data_offsets":[16,20]}}  )")},
      {"scalar", seed(8, R"({"n":{"data_offsets":[0,8],"shape":[],"dtype":"I64"}})")},
      {"empty_tensors", seed(0, R"({"a":{"dtype":"F4","shape":[0,3],"data_offsets":[0,0]},)"
                                R"("b":{"dtype":"U8","shape":[5,0],"data_offsets":[0,0]}})")},
      {"half_a_byte", seed(1, R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})")},
      {"overlap", seed(4, R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                          R"("b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})")},
      {"shape_wraps_around", seed(0, R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})")},
      {"offsets_backwards", seed(0, R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})")},
      {"key_twice", seed(0, R"({"__metadata__":{},"__metadata__":{}})")},
      {"escaped_key_twice", seed(0, R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                                    R"("\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})")},
      {"no_object", seed(0, "[]")},
      {"metadata_is_a_number", seed(0, R"({"__metadata__":{"a":1}})")},
      {"control_characters", seed(0, R"({"\u001b[31m\u0007":{"dtype":"\n","shape":[0],"data_offsets":[0,0]}})")},
      {"nothing", seed(0, "{}")},
  };
}
