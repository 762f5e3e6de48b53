// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A checksum over a file's contents, kept in its metadata: finds a bit that has changed since the file was written.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/io/safetensors_header.hpp"
#include "retort/io/tensor.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io::detail {

inline constexpr std::string_view checksum_key = "retort.checksum";

[[gnu::cold]] inline void add_text(Fingerprint& print, std::string_view text) {
  const std::uint64_t size = text.size();
  print.add(std::span{&size, 1}).add(std::span{text.data(), text.size()});
}

/// Covers the metadata, except the checksum itself, and each tensor's name, dtype, shape and bytes, by name: it stays
/// right when a program lays the same tensors out in another order.
[[gnu::cold]] inline std::string checksum(const Metadata& metadata, std::span<const Tensor> tensors) {
  Fingerprint print;
  for (const auto& [key, value] : metadata) {
    if (key != checksum_key) {
      add_text(print, key);
      add_text(print, value);
    }
  }
  std::vector<const Tensor*> by_name;
  by_name.reserve(tensors.size());
  for (const Tensor& tensor : tensors) {
    by_name.push_back(&tensor);
  }
  std::sort(by_name.begin(), by_name.end(),
            [](const Tensor* left, const Tensor* right) { return left->name < right->name; });
  for (const Tensor* tensor : by_name) {
    add_text(print, tensor->name);
    add_text(print, dtype_name(tensor->dtype));
    std::vector<std::uint64_t> extents(tensor->shape.begin(), tensor->shape.end());
    extents.push_back(extents.size());
    print.add(std::span<const std::uint64_t>(extents)).add(tensor->bytes);
  }
  return to_text(print.value());
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io::detail
