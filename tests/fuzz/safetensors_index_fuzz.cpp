// SPDX-License-Identifier: MIT
/// Indexes of models in several files: what parses has the shards that nlohmann/json finds there, each in the index's
/// own folder.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.hpp"
#include "retort/io/safetensors_index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using retort::fuzz::require;
  const std::string_view text = retort::fuzz::text_of(data, size);
  const std::filesystem::path path = "/models/model.safetensors.index.json";
  const auto shards = retort::fuzz::accepted([&] { return retort::io::detail::parse_safetensors_index(path, text); });
  if (shards) {
    for (const auto& [tensor, shard] : *shards) {
      require(path.parent_path() / shard == "/models/" + shard, "a shard is a file of the index's folder");
      require((path.parent_path() / shard).lexically_normal().parent_path() == path.parent_path(),
              "a shard does not leave the index's folder");
    }
    // nlohmann/json refuses a number beyond a double's range, which may stand in the metadata.
    const auto other = nlohmann::json::parse(text, nullptr, false);
    if (!other.is_discarded()) {
      require(std::map<std::string, std::string>(shards->begin(), shards->end()) ==
                  other.at("weight_map").get<std::map<std::string, std::string>>(),
              "nlohmann/json reads the same index");
    }
  }
  return 0;
}

std::vector<retort::fuzz::Seed> retort::fuzz::seeds() {
  const auto map_of = [](std::string_view shard) {
    return std::string(R"({"weight_map":{"a":")").append(shard) + "\"}}";
  };
  return {
      {"two_shards", R"({"metadata":{"total_size":28},"weight_map":{"a":"1.safetensors","\u00e9":"2.safetensors"}})"},
      {"no_metadata", map_of("model-00001-of-00002.safetensors")},
      {"nothing", R"({"weight_map":{}})"},
      {"no_map", R"({"metadata":{}})"},
      {"map_twice", R"({"weight_map":{},"weight_map":{}})"},
      {"tensor_twice", R"({"weight_map":{"a":"1","\u0061":"2"}})"},
      {"folder_above", map_of("..")},
      {"file_above", map_of("../1.safetensors")},
      {"absolute", map_of("/etc/passwd")},
      {"escaped_slash", map_of("..\\/1")},
      {"zero_byte", map_of("1\\u0000")},
      {"this_folder", map_of(".")},
      {"no_name", map_of("")},
      {"number_for_a_shard", R"({"weight_map":{"a":1}})"},
      {"nested_metadata", R"({"metadata":{"a":{}},"weight_map":{}})"},
      {"huge_total", R"({"metadata":{"total_size":1e999},"weight_map":{}})"},
  };
}
