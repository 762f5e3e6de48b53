// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// IDX, the file format of MNIST (Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits",
/// section "File formats"): two zero bytes, the element type, the rank, one 32-bit big-endian extent per axis, the
/// elements, last axis fastest.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

inline constexpr std::size_t max_idx_rank = 4;

/// The contents of an IDX file: as many bytes as the product of the extents, last axis fastest.
template <std::size_t Rank>
struct IdxArray {
  std::array<std::size_t, Rank> extents{};
  std::vector<std::uint8_t> elements;
  friend bool operator==(const IdxArray&, const IdxArray&) = default;
};

namespace detail {

inline constexpr unsigned idx_unsigned_byte = 0x08;

// Returns the extents; the elements follow at byte 4 + 4 * Rank.
template <std::size_t Rank>
[[gnu::cold]] std::array<std::size_t, Rank> idx_extents(const std::filesystem::path& path,
                                                        std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 4) {
    throw FormatError(path, concatenate({"magic number: the file has ", bytes.size(), " bytes, expected 4 or more"}));
  }
  if (bytes[0] != 0 || bytes[1] != 0) {
    throw FormatError(path, concatenate({"magic number: begins with ", hex_text(bytes[0]), " ", hex_text(bytes[1]),
                                         ", expected 0x00 0x00 (is it an IDX file?)"}));
  }
  if (bytes[2] != idx_unsigned_byte) {
    throw FormatError(path, concatenate({"element type: ", hex_text(bytes[2]), ", expected ",
                                         hex_text(idx_unsigned_byte), " (unsigned byte)"}));
  }
  if (bytes[3] != Rank) {
    throw FormatError(path, concatenate({"rank: ", bytes[3], ", expected ", Rank}));
  }
  if (bytes.size() < 4 + 4 * Rank) {
    throw FormatError(path, concatenate({"header: the file has ", bytes.size(), " bytes, expected ", 4 + 4 * Rank,
                                         " or more for rank ", Rank}));
  }
  std::array<std::size_t, Rank> extents{};
  for (std::size_t axis = 0; axis < Rank; ++axis) {
    const std::uint8_t* word = bytes.data() + 4 + 4 * axis;
    extents[axis] = std::size_t{word[0]} << 24 | std::size_t{word[1]} << 16 | std::size_t{word[2]} << 8 | word[3];
  }
  return extents;
}

}  // namespace detail

/// The array of unsigned bytes in an IDX file of rank `Rank`, plain or compressed by gzip, with no extent of zero.
/// Throws FileError, and FormatError that names the field, what stands there and what was expected; a file with too
/// many bytes is an error like one with too few.
template <std::size_t Rank>
[[gnu::cold]] IdxArray<Rank> read_idx(const std::filesystem::path& path,
                                      std::uint64_t size_limit = default_size_limit) {
  static_assert(Rank >= 1 && Rank <= max_idx_rank, "retort::data::read_idx reads arrays of rank 1 to 4");
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, size_limit);
  const auto extents = detail::idx_extents<Rank>(path, bytes);
  std::size_t expected = 1;
  for (std::size_t axis = 0; axis < Rank; ++axis) {
    if (extents[axis] == 0) {
      throw FormatError(path, concatenate({"extent ", axis, ": 0, expected at least 1"}));
    }
    if (expected > std::numeric_limits<std::size_t>::max() / extents[axis]) {
      throw FormatError(path,
                        concatenate({"extents: ", detail::extents_text(extents), " is more than any file can hold"}));
    }
    expected *= extents[axis];
  }
  constexpr std::size_t header = 4 + 4 * Rank;
  const std::size_t found = bytes.size() - header;
  if (found != expected) {
    throw FormatError(path, concatenate({"elements: ", found, " bytes, expected ", expected, " for extents ",
                                         detail::extents_text(extents)}));
  }
  return {extents, {bytes.begin() + header, bytes.end()}};
}

/// Writes `elements` as an uncompressed IDX file with these extents, last axis fastest. Throws ShapeError when the
/// extents do not fit the format or the elements; FileError, also for a name that ends in .gz, since the file would not
/// be what it says.
inline void write_idx(const std::filesystem::path& path, std::span<const std::size_t> extents,
                      std::span<const std::uint8_t> elements) {
  if (path.extension() == ".gz") {
    throw FileError(path, "IDX files are written uncompressed, expected a name without .gz");
  }
  if (extents.empty() || extents.size() > max_idx_rank) {
    throw ShapeError(concatenate({"write_idx: rank ", extents.size(), ", expected 1 to ", max_idx_rank}));
  }
  std::string header{'\0', '\0', static_cast<char>(detail::idx_unsigned_byte), static_cast<char>(extents.size())};
  std::size_t rest = elements.size();  // divided by each extent in turn: 1 and no remainder at the end
  for (const std::size_t extent : extents) {
    if (extent == 0 || extent > std::numeric_limits<std::uint32_t>::max() || rest % extent != 0) {
      throw ShapeError(
          concatenate({"write_idx: extents ", detail::extents_text(extents), " for ", elements.size(), " elements"}));
    }
    rest /= extent;
    for (const int shift : {24, 16, 8, 0}) {
      header += static_cast<char>(extent >> shift & 255u);
    }
  }
  if (rest != 1) {
    throw ShapeError(
        concatenate({"write_idx: extents ", detail::extents_text(extents), " for ", elements.size(), " elements"}));
  }
  AtomicFile file(path);
  file.write(header);
  file.write(std::as_bytes(elements));
  file.commit();
}

/// The same for an array as `read_idx` returns it.
template <std::size_t Rank>
void write_idx(const std::filesystem::path& path, const IdxArray<Rank>& array) {
  write_idx(path, array.extents, array.elements);
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
