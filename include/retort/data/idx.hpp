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
#include "retort/core/out_of_memory.hpp"
#include "retort/core/text.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The contents of an IDX file: as many bytes as the product of the extents, last axis fastest.
template <std::size_t Rank>
struct IdxArray {
  std::array<std::size_t, Rank> extents{};
  std::vector<std::uint8_t> elements;
  friend bool operator==(const IdxArray&, const IdxArray&) = default;
};

namespace detail {

inline constexpr std::size_t max_idx_rank = 4;

inline constexpr unsigned idx_unsigned_byte = 0x08;
inline constexpr unsigned idx_signed_byte = 0x09;
inline constexpr unsigned idx_short = 0x0b;
inline constexpr unsigned idx_int = 0x0c;

struct IdxHeader {
  unsigned type = 0;
  std::size_t item_size = 0;           // bytes of an element
  std::vector<std::size_t> extents{};  // none is zero
  std::size_t begin = 0;               // where the elements begin
};

inline std::size_t idx_item_size(unsigned type) {
  return type == idx_int ? 4 : type == idx_short ? 2 : type == idx_unsigned_byte || type == idx_signed_byte ? 1 : 0;
}

// Checks that the file holds exactly the elements it announces; `whole_numbers` allows other types than unsigned bytes.
[[gnu::cold]] inline IdxHeader read_idx_header(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                                               bool whole_numbers, std::size_t lowest_rank, std::size_t highest_rank) {
  if (bytes.size() < 4) {
    throw FormatError(path, concatenate({"magic number: the file has ", bytes.size(), " bytes, expected 4 or more"}));
  }
  if (bytes[0] != 0 || bytes[1] != 0) {
    throw FormatError(path, concatenate({"magic number: begins with ", hex_text(bytes[0]), " ", hex_text(bytes[1]),
                                         ", expected 0x00 0x00 (is it an IDX file?)"}));
  }
  IdxHeader header{.type = bytes[2], .item_size = idx_item_size(bytes[2]), .extents = {}};
  if (whole_numbers ? header.item_size == 0 : header.type != idx_unsigned_byte) {
    throw FormatError(path,
                      concatenate({"element type: ", hex_text(bytes[2]), ", expected ", hex_text(idx_unsigned_byte),
                                   " (unsigned byte)", whole_numbers ? ", 0x09, 0x0b or 0x0c (whole numbers)" : ""}));
  }
  const std::size_t rank = bytes[3];
  if (rank < lowest_rank || rank > highest_rank) {
    throw FormatError(path, concatenate({"rank: ", rank, ", expected ", lowest_rank,
                                         lowest_rank == highest_rank ? "" : concatenate({" to ", highest_rank})}));
  }
  header.begin = 4 + 4 * rank;
  if (bytes.size() < header.begin) {
    throw FormatError(path, concatenate({"header: the file has ", bytes.size(), " bytes, expected ", header.begin,
                                         " or more for rank ", rank}));
  }
  std::size_t expected = header.item_size;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::uint8_t* word = bytes.data() + 4 + 4 * axis;
    header.extents.push_back(std::size_t{word[0]} << 24 | std::size_t{word[1]} << 16 | std::size_t{word[2]} << 8 |
                             word[3]);
  }
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::size_t extent = header.extents[axis];
    if (extent == 0) {
      throw FormatError(path, concatenate({"extent ", axis, ": 0, expected at least 1"}));
    }
    if (expected > std::numeric_limits<std::size_t>::max() / extent) {
      throw FormatError(path,
                        concatenate({"extents: ", extents_text(header.extents), " is more than any file can hold"}));
    }
    expected *= extent;
  }
  const std::size_t found = bytes.size() - header.begin;
  if (found != expected) {
    throw FormatError(path, concatenate({"elements: ", found, " bytes, expected ", expected, " for extents ",
                                         extents_text(header.extents)}));
  }
  return header;
}

// The labels of a file, kept as the file's bytes.
class IdxLabels {
 public:
  IdxLabels(const std::filesystem::path& path, std::uint64_t size_limit, std::uint64_t expansion_limit)
      : bytes_(read_plain_or_gzip(path, size_limit, expansion_limit)),
        header_(read_idx_header(path, bytes_, true, 1, 2)),
        stride_(header_.item_size * (header_.extents.size() == 2 ? header_.extents[1] : 1)) {}

  std::size_t size() const { return header_.extents[0]; }

  /// Precondition: row < size().
  std::int32_t operator[](std::size_t row) const {
    const std::uint8_t* source = bytes_.data() + header_.begin + row * stride_;
    std::int64_t value = header_.type != idx_unsigned_byte && source[0] > 127 ? -1 : 0;  // the sign
    for (std::size_t i = 0; i < header_.item_size; ++i) {
      value = value * 256 + source[i];
    }
    return static_cast<std::int32_t>(value);
  }

 private:
  std::vector<std::uint8_t> bytes_;
  IdxHeader header_;
  std::size_t stride_;  // bytes from one label to the next
};

}  // namespace detail

/// The array of unsigned bytes in an IDX file of rank `Rank`, plain or compressed by gzip, with no extent of zero.
/// Throws FileError, and FormatError that names the field, its contents and what was expected; a file with too many
/// bytes is an error like one with too few. For the limits see read_plain_or_gzip.
template <std::size_t Rank>
[[gnu::cold]] IdxArray<Rank> read_idx(const std::filesystem::path& path, std::uint64_t size_limit = default_size_limit,
                                      std::uint64_t expansion_limit = default_expansion_limit) {
  static_assert(Rank >= 1 && Rank <= detail::max_idx_rank, "retort::data::read_idx reads arrays of rank 1 to 4");
  std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, size_limit, expansion_limit);
  const detail::IdxHeader header = detail::read_idx_header(path, bytes, false, Rank, Rank);
  IdxArray<Rank> array;
  std::copy_n(header.extents.begin(), Rank, array.extents.begin());
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header.begin));
  array.elements = std::move(bytes);
  return array;
}

/// The labels in an IDX file of whole numbers of 8, 16 or 32 bits: of rank 1, or of rank 2, where each row begins with
/// the label (QMNIST's idx2-int). Throws like `read_idx`. Memory: the file, and four bytes a label.
[[gnu::cold]] inline std::vector<std::int32_t> read_idx_labels(
    const std::filesystem::path& path, std::uint64_t size_limit = default_size_limit,
    std::uint64_t expansion_limit = default_expansion_limit) {
  const detail::IdxLabels found(path, size_limit, expansion_limit);
  std::vector<std::int32_t> labels;
  allocate_for(path.native(), found.size() * sizeof(labels.front()), [&] { labels.resize(found.size()); });
  for (std::size_t row = 0; row < labels.size(); ++row) {
    labels[row] = found[row];
  }
  return labels;
}

/// Writes `elements` as an uncompressed IDX file with these extents, last axis fastest. Throws ShapeError if the
/// extents do not fit the format or the elements; FileError, also for a name that ends in .gz, since the file is not
/// compressed.
inline void write_idx(const std::filesystem::path& path, std::span<const std::size_t> extents,
                      std::span<const std::uint8_t> elements) {
  if (path.extension() == ".gz") {
    throw FileError(path, "IDX files are written uncompressed, expected a name without .gz");
  }
  if (extents.empty() || extents.size() > detail::max_idx_rank) {
    throw ShapeError(concatenate({"write_idx: rank ", extents.size(), ", expected 1 to ", detail::max_idx_rank}));
  }
  std::string header{'\0', '\0', static_cast<char>(detail::idx_unsigned_byte), static_cast<char>(extents.size())};
  std::size_t rest = elements.size();  // divided by each extent in turn: 1 and no remainder at the end
  bool fits = true;
  for (const std::size_t extent : extents) {
    fits = fits && extent != 0 && extent <= std::numeric_limits<std::uint32_t>::max() && rest % extent == 0;
    rest = fits ? rest / extent : 0;
    for (const int shift : {24, 16, 8, 0}) {
      header += static_cast<char>(extent >> shift & 255u);
    }
  }
  if (!fits || rest != 1) {
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
