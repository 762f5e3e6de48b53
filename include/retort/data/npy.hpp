// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Arrays saved by NumPy (NPY format, versions 1.0 to 3.0: numpy.lib.format) as datasets. data/save_npy.hpp writes such
/// files.
///
/// xtensor's own reader trusts the file: it misreads headers of 128 to 255 bytes, allocates what the shape asks for and
/// does not notice a short file. So files are read and checked here.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

struct NpyOptions {
  std::uint32_t classes = 0;  // 0: the highest label + 1
  Normalization normalization{};
  std::uint64_t size_limit = default_size_limit;  // bytes of one file
};

namespace detail {

struct NpyHeader {
  bool big_endian = false;
  std::string type;  // kind and bytes of an element: "f4", "u1"
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t data_begin = 0;  // bytes before the elements
};

// The header is a Python dictionary with the keys 'descr', 'fortran_order' and 'shape', in any order.
class NpyHeaderParser {
 public:
  NpyHeaderParser(const std::filesystem::path& path, std::string_view text) : path_(path), text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string("a key");
      expect(':');
      if (key == "descr" && !std::exchange(has_type, true)) {
        read_type(header);
      } else if (key == "fortran_order" && !std::exchange(has_order, true)) {
        header.fortran_order = boolean();
      } else if (key == "shape" && !std::exchange(has_shape, true)) {
        header.shape = shape();
      } else {
        fail(concatenate({"key ", in_quotes(key), ", expected 'descr', 'fortran_order' and 'shape' once each"}));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty()) {
      fail(concatenate({in_quotes(text_), " after the dictionary, expected nothing"}));
    }
    if (!has_type || !has_order || !has_shape) {
      fail("a key is missing, expected 'descr', 'fortran_order' and 'shape'");
    }
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FormatError(path_, concatenate({"NPY header: ", reason}));
  }

  void skip_space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size())); }

  bool accept(char letter) {
    skip_space();
    if (text_.empty() || text_.front() != letter) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }

  void expect(char letter) {
    if (!accept(letter)) {
      fail(concatenate({found(), ", expected '", letter, "'"}));
    }
  }

  std::string found() const { return text_.empty() ? "it ends early" : in_quotes(text_); }

  std::string_view string(const std::string& what) {
    skip_space();
    const std::size_t end = text_.empty() || (text_.front() != '\'' && text_.front() != '"')
                                ? std::string_view::npos
                                : text_.find(text_.front(), 1);
    if (end == std::string_view::npos) {
      fail(concatenate({found(), ", expected ", what, " in quotes"}));
    }
    const std::string_view result = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return result;
  }

  void read_type(NpyHeader& header) {
    const std::string_view type = string("a plain element type such as '<f4'");
    if (type.size() < 3 || std::string_view("<>|").find(type.front()) == std::string_view::npos) {
      fail(concatenate({"element type ", in_quotes(type), ", expected one such as '<f4' or '|u1'"}));
    }
    header.big_endian = type.front() == '>';
    header.type = type.substr(1);
  }

  bool boolean() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view name = value ? "True" : "False";
      if (text_.substr(0, name.size()) == name) {
        text_.remove_prefix(name.size());
        return value;
      }
    }
    fail(concatenate({"fortran_order ", found(), ", expected True or False"}));
  }

  std::vector<std::size_t> shape() {
    constexpr std::size_t max_rank = 64;  // of NumPy 2
    std::vector<std::size_t> extents;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::size_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
      if (error != std::errc{} || extents.size() == max_rank) {
        fail(concatenate({"shape ", found(), ", expected a tuple of up to 64 extents"}));
      }
      extents.push_back(extent);
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }

  const std::filesystem::path& path_;
  std::string_view text_;
};

inline std::size_t npy_item_size(const std::filesystem::path& path, const NpyHeader& header,
                                 std::initializer_list<std::string_view> accepted) {
  std::string names;
  for (const std::string_view name : accepted) {
    if (name == header.type) {
      return static_cast<std::size_t>(name.back() - '0');
    }
    names += concatenate({names.empty() ? "" : ", ", name});
  }
  throw FormatError(path, concatenate({"element type: ", in_quotes(header.type), ", expected one of ", names}));
}

// The header of a file that holds exactly the elements it announces, of one of the accepted types.
inline NpyHeader read_npy_header(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                                 std::initializer_list<std::string_view> accepted) {
  constexpr std::array<std::uint8_t, 6> magic{0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (bytes.size() < 10 || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
    throw FormatError(path, "magic number: the file does not begin with 0x93 and NUMPY (is it an NPY file?)");
  }
  const unsigned version = bytes[6];
  if (version < 1 || version > 3 || bytes[7] != 0) {
    throw FormatError(path, concatenate({"version: ", version, ".", bytes[7], ", expected 1.0, 2.0 or 3.0"}));
  }
  const std::size_t begin = version == 1 ? 10 : 12;
  std::size_t length = std::size_t{bytes[8]} | std::size_t{bytes[9]} << 8;
  if (version != 1 && bytes.size() >= begin) {
    length |= std::size_t{bytes[10]} << 16 | std::size_t{bytes[11]} << 24;
  }
  if (bytes.size() < begin || bytes.size() - begin < length) {
    throw FormatError(
        path, concatenate({"NPY header: the file ends after ", bytes.size(), " bytes, expected a header of ", length}));
  }
  const std::string text(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                         bytes.begin() + static_cast<std::ptrdiff_t>(begin + length));
  NpyHeader header = NpyHeaderParser(path, text).parse();
  header.data_begin = begin + length;
  std::size_t expected = npy_item_size(path, header, accepted);
  for (const std::size_t extent : header.shape) {
    if (extent == 0) {
      throw FormatError(path, concatenate({"shape: ", extents_text(header.shape), ", expected extents of at least 1"}));
    }
    if (expected > std::numeric_limits<std::size_t>::max() / extent) {
      throw FormatError(path, concatenate({"shape: ", extents_text(header.shape), " is more than any file can hold"}));
    }
    expected *= extent;
  }
  const std::size_t found = bytes.size() - header.data_begin;
  if (found != expected) {
    throw FormatError(path, concatenate({"elements: ", found, " bytes, expected ", expected, " for shape ",
                                         extents_text(header.shape), " of ", header.type}));
  }
  return header;
}

template <typename From>
From npy_element(const std::uint8_t* source, bool big_endian) {
  std::array<std::uint8_t, sizeof(From)> bytes;
  std::copy_n(source, sizeof(From), bytes.begin());
  if (big_endian) {
    std::reverse(bytes.begin(), bytes.end());
  }
  From value;
  std::memcpy(&value, bytes.data(), sizeof(From));
  return value;
}

// Writes convert(element, its number in the file) to output, in C order.
template <typename From, typename To, typename Convert>
void copy_npy(const NpyHeader& header, std::span<const std::uint8_t> bytes, const Convert& convert, To* output) {
  const auto element = [&](std::size_t number) {
    return convert(npy_element<From>(bytes.data() + header.data_begin + number * sizeof(From), header.big_endian),
                   number);
  };
  const std::size_t size = (bytes.size() - header.data_begin) / sizeof(From);
  if (!header.fortran_order) {
    for (std::size_t i = 0; i < size; ++i) {
      output[i] = element(i);
    }
    return;
  }
  // In Fortran order the first axis runs fastest: count the axes up like an odometer, from the left.
  const std::size_t rank = header.shape.size();
  std::vector<std::size_t> strides(rank, 1);
  for (std::size_t axis = rank; axis-- > 1;) {
    strides[axis - 1] = strides[axis] * header.shape[axis];
  }
  std::vector<std::size_t> index(rank, 0);
  std::size_t position = 0;
  for (std::size_t i = 0; i < size; ++i) {
    output[position] = element(i);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      position += strides[axis];
      if (++index[axis] < header.shape[axis]) {
        break;
      }
      position -= strides[axis] * header.shape[axis];
      index[axis] = 0;
    }
  }
}

// (samples, all other axes)
template <typename From, typename To, typename Convert>
Matrix<To> npy_rows(const NpyHeader& header, std::span<const std::uint8_t> bytes, const Convert& convert) {
  const std::size_t size = (bytes.size() - header.data_begin) / sizeof(From);
  Matrix<To> rows(header.shape[0], size / header.shape[0]);
  copy_npy<From>(header, bytes, convert, rows.data());
  return rows;
}

struct NpyFeatures {
  Features values;  // (count, features)
  ImageShape image;
};

inline NpyFeatures load_npy_features(const std::filesystem::path& path, std::uint64_t size_limit) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, size_limit);
  const NpyHeader header = read_npy_header(path, bytes, {"u1", "f4", "f8"});
  if (header.shape.size() < 2) {
    throw FormatError(path, concatenate({"rank: ", header.shape.size(), ", expected 2 (samples, features) or more"}));
  }
  const ImageShape image = header.shape.size() == 3 ? ImageShape{header.shape[1], header.shape[2]} : ImageShape{};
  const auto finite = [&](auto value, std::size_t element) {
    if (!(std::abs(value) <= static_cast<decltype(value)>(std::numeric_limits<float>::max()))) {
      throw FormatError(
          path, concatenate({"element ", element, ": ", value, ", expected a finite number within float's range"}));
    }
    return static_cast<float>(value);
  };
  if (header.type == "u1") {
    const auto same = [](std::uint8_t value, std::size_t) { return value; };
    return {npy_rows<std::uint8_t, std::uint8_t>(header, bytes, same), image};
  }
  if (header.type == "f4") {
    return {npy_rows<float, float>(header, bytes, finite), image};
  }
  return {npy_rows<double, float>(header, bytes, finite), image};
}

inline Labels load_npy_labels(const std::filesystem::path& path, std::uint32_t classes, std::uint64_t size_limit) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, size_limit);
  const NpyHeader header = read_npy_header(path, bytes, {"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"});
  if (header.shape.size() != 1) {
    throw FormatError(path, concatenate({"rank: ", header.shape.size(), ", expected 1 (samples)"}));
  }
  const std::uint64_t limit = classes != 0 ? classes : std::numeric_limits<std::uint32_t>::max();
  const auto convert = [&](auto value, std::size_t element) {
    if (std::cmp_less(value, 0) || std::cmp_greater_equal(value, limit)) {
      throw FormatError(
          path, concatenate({"label of sample ", element, ": ", value, ", expected 0 or more and less than ", limit}));
    }
    return static_cast<std::uint32_t>(value);
  };
  const auto load = [&]<typename From>(std::type_identity<From>) {
    Labels labels(header.shape[0]);
    copy_npy<From>(header, bytes, convert, labels.data());
    return labels;
  };
  const bool is_signed = header.type.front() == 'i';
  switch (header.type.back()) {
    case '1':
      return is_signed ? load(std::type_identity<std::int8_t>{}) : load(std::type_identity<std::uint8_t>{});
    case '2':
      return is_signed ? load(std::type_identity<std::int16_t>{}) : load(std::type_identity<std::uint16_t>{});
    case '4':
      return is_signed ? load(std::type_identity<std::int32_t>{}) : load(std::type_identity<std::uint32_t>{});
    default:
      return is_signed ? load(std::type_identity<std::int64_t>{}) : load(std::type_identity<std::uint64_t>{});
  }
}

}  // namespace detail

/// A dataset from two NPY files, plain or compressed by gzip. Features: uint8, float32 or float64 (converted to float),
/// of shape (samples, features), (samples, rows, columns), which sets the image's extents, or more axes, flattened
/// after the first. Labels: any integer type, of shape (samples). Either byte order, C or Fortran order. Throws
/// FileError, and FormatError that names the file and what is wrong in it: anything but exactly the announced elements,
/// a NaN or an infinity, a negative label, a label that is not below options.classes, counts that differ; OptionError.
inline Dataset load_npy(const std::filesystem::path& features_path, const std::filesystem::path& labels_path,
                        const NpyOptions& options = {}) {
  detail::NpyFeatures features = detail::load_npy_features(features_path, options.size_limit);
  Labels labels = detail::load_npy_labels(labels_path, options.classes, options.size_limit);
  const std::size_t count =
      features.values.index() == 0 ? std::get<0>(features.values).rows() : std::get<1>(features.values).rows();
  if (labels.size() != count) {
    throw FormatError(labels_path, concatenate({"number of labels: ", labels.size(), ", expected ", count, " as in ",
                                                features_path.filename().string()}));
  }
  const std::uint32_t classes =
      options.classes != 0 ? options.classes : *std::max_element(labels.begin(), labels.end()) + 1;
  return {std::move(features.values), std::move(labels), classes, features.image, options.normalization};
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
