// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Tensors in several safetensors files, the shards, beside an index that says which tensor is in which: the form in
/// which Hugging Face's libraries save large models, named model.safetensors.index.json
/// (huggingface_hub/serialization). A JSON object; "weight_map" has the shard's file name for each tensor, "metadata"
/// numbers and texts about the model.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ios>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/file_descriptor.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"
#include "retort/io/safetensors_file.hpp"
#include "retort/io/safetensors_header.hpp"
#include "retort/io/tensor.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

namespace detail {

/// The shard of each tensor.
using WeightMap = std::map<std::string, std::string, std::less<>>;

/// Whether a shard of that name lies in the index's own folder.
[[gnu::cold]] inline bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view{"/\0", 2}) == std::string_view::npos;
}

/// The "weight_map" in an index's text. Throws FormatError naming `path` for text that is no index, a tensor that
/// stands twice, and a shard outside of the index's folder.
[[gnu::cold]] inline WeightMap parse_safetensors_index(const std::filesystem::path& path, std::string_view text) {
  WeightMap shards;
  internal::JsonReader json(text);
  const auto read_metadata = [&] {
    json.begin_object();
    for (std::string key; json.next_key(key);) {
      if (json.kind() == internal::JsonKind::number) {
        json.number();
      } else {
        json.string();
      }
    }
  };
  const auto read_shards = [&] {
    json.begin_object();
    for (std::string tensor; json.next_key(tensor);) {
      std::string shard = json.string();
      const std::string where = concatenate({"weight_map, tensor ", in_quotes(tensor), ": "});
      if (!is_file_name(shard)) {
        throw FormatError(path, concatenate({where, "file ", in_quotes(shard),
                                             ", expected the name of a file in the index's own folder"}));
      }
      if (!shards.emplace(tensor, std::move(shard)).second) {
        throw FormatError(path, concatenate({where, "stands twice, expected once"}));
      }
    }
  };
  try {
    const std::string_view missing = json.read_object({{"metadata", read_metadata, false}, {"weight_map", read_shards}},
                                                      "the keys metadata and weight_map, each once");
    json.end();
    if (!missing.empty()) {
      throw FormatError(path, concatenate({"no ", missing, ", expected the index of a model in several files"}));
    }
  } catch (const JsonError& error) {
    throw FormatError(path, error.what());
  }
  return shards;
}

[[gnu::cold]] inline std::string read_safetensors_index(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    internal::throw_file_error(path, "cannot be read", error.value());
  }
  if (size > default_header_limit) {
    throw FormatError(path, concatenate({size, " bytes, expected at most ", default_header_limit}));
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    internal::throw_file_error(path, "cannot be read");
  }
  std::string text(to_size(size), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (static_cast<std::size_t>(stream.gcount()) != text.size()) {
    throw FileError(path, "cannot be read to its end");
  }
  return text;
}

}  // namespace detail

/// The tensors of all the shards that the index at `path` names, in the order of the shards' names, as if they stood in
/// one file of that path. The metadata are those of the shards; where several have a key, the first one's text.
/// Each shard must hold the tensors that the index puts there, and no other. Throws FileError if the index or a shard
/// cannot be read, FormatError if the index is not one (detail::parse_safetensors_index; at most default_header_limit
/// bytes), a tensor is missing from its shard or not in the index, and for what SafetensorsFile::read refuses. Memory:
/// the sizes of all shards.
[[gnu::cold]] inline SafetensorsFile read_sharded_safetensors(const std::filesystem::path& path) {
  const detail::WeightMap shards = detail::parse_safetensors_index(path, detail::read_safetensors_index(path));
  std::map<std::string_view, std::vector<std::string_view>> tensors_of;  // shard
  for (const auto& [tensor, shard] : shards) {
    tensors_of[shard].push_back(tensor);
  }
  std::vector<SafetensorsFile> files;
  for (const auto& [shard, tensors] : tensors_of) {
    const SafetensorsFile& file = files.emplace_back(SafetensorsFile::read(path.parent_path() / shard));
    for (const std::string_view tensor : tensors) {
      file.at(tensor);
    }
    for (const Tensor& tensor : file.tensors()) {
      const auto found = shards.find(tensor.name);
      if (found == shards.end() || found->second != shard) {
        throw FormatError(file.path(), concatenate({"tensor ", detail::in_quotes(tensor.name),
                                                    ": not of this file in the index ", path_text(path)}));
      }
    }
  }
  return SafetensorsFile::join(path, std::move(files));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
