// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Changes safetensors files so that a reader gets beyond their header: a target that includes this once has libFuzzer
/// change either the data alone, the header alone, whose length is then put right, or anything at all. A checksum in
/// the metadata is given another name first: it would refuse every change.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz_target.hpp"

namespace retort::fuzz {

inline constexpr std::size_t length_bytes = sizeof(std::uint64_t);

/// Bytes of the header as the file says, or nothing where the file is shorter.
inline std::optional<std::size_t> header_size(const std::uint8_t* data, std::size_t size) {
  std::uint64_t length = 0;
  if (size < sizeof(length)) {
    return std::nullopt;
  }
  std::memcpy(&length, data, sizeof(length));
  return length <= size - sizeof(length) ? std::optional<std::size_t>(length) : std::nullopt;
}

}  // namespace retort::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  using retort::fuzz::length_bytes;
  const auto header = retort::fuzz::header_size(data, size);
  if (!header || seed % 4 == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  constexpr std::string_view key = "retort.checksum";
  constexpr std::string_view unknown_key = "retort.old_sum_";
  static_assert(key.size() == unknown_key.size());
  std::uint8_t* const text = data + length_bytes;
  if (const auto found = std::search(text, text + *header, key.begin(), key.end()); found != text + *header) {
    std::copy(unknown_key.begin(), unknown_key.end(), found);
  }
  std::uint8_t* const values = text + *header;
  const std::size_t values_size = size - length_bytes - *header;
  if (seed % 4 == 1 && values_size > 0) {
    // As many bytes as before: the header speaks of them.
    const std::size_t changed = LLVMFuzzerMutate(values, values_size, values_size);
    std::fill(values + changed, values + values_size, std::uint8_t{0});
    return size;
  }
  const std::string old_values(values, values + values_size);
  const std::uint64_t changed = LLVMFuzzerMutate(text, *header, max_size - length_bytes - values_size);
  std::memcpy(data, &changed, sizeof(changed));
  std::memcpy(text + changed, old_values.data(), old_values.size());
  return length_bytes + changed + values_size;
}
