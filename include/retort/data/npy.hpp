// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Arrays saved by NumPy (NPY format, versions 1.0 to 3.0: numpy.lib.format) as datasets. data/save_npy.hpp writes such
/// files.
///
/// xtensor's own reader trusts the file: it misreads headers of 128 to 255 bytes, allocates whatever the shape asks for
/// and does not notice a short file. So this header reads and checks files itself.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/small_floats.hpp"
#include "retort/core/text.hpp"
#include "retort/data/dataset.hpp"
#include "retort/data/gzip.hpp"
#include "retort/data/label_range.hpp"
#include "retort/data/matrix.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

struct NpyOptions {
  std::uint32_t classes = 0;             // 0: the highest label + 1
  std::uint32_t first_label = 0;         // the number of class 0: 1 where labels count from 1
  bool minus_one_is_unlabelled = false;  // whether a label of -1 says that the sample has none, as in scikit-learn
  Normalization normalization{};
  std::uint64_t size_limit = default_size_limit;            // bytes of one file
  std::uint64_t expansion_limit = default_expansion_limit;  // of a compressed file, see read_plain_or_gzip
};

namespace detail {

struct NpyHeader {
  bool big_endian = false;
  std::string type;  // kind and bytes of an element: "f4", "u1", "b1"
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
    if (type == "|O") {
      fail("element type '|O', Python objects, expected numbers: save array.astype(numpy.float32), say");
    }
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
      if (!text_.empty() && text_.front() == 'L') {
        text_.remove_prefix(1);  // a long integer of Python 2
      }
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

// A file's number of a type that C++ lacks.
struct NpyBool {
  std::uint8_t byte;
};
struct NpyHalf {
  std::uint16_t bits;
};

// A number type that can be read.
template <typename T>
struct NpyType {
  std::string_view name;
};
inline constexpr std::tuple npy_types{
    NpyType<std::uint8_t>{"u1"},  NpyType<float>{"f4"},         NpyType<double>{"f8"},
    NpyType<NpyHalf>{"f2"},       NpyType<NpyBool>{"b1"},       NpyType<std::int8_t>{"i1"},
    NpyType<std::int16_t>{"i2"},  NpyType<std::int32_t>{"i4"},  NpyType<std::int64_t>{"i8"},
    NpyType<std::uint16_t>{"u2"}, NpyType<std::uint32_t>{"u4"}, NpyType<std::uint64_t>{"u8"}};

// Calls `use` with the NpyType that the header names; false if no type has that name.
template <typename Use>
bool with_npy_type(const NpyHeader& header, const Use& use) {
  return std::apply([&](const auto&... type) { return (... || (type.name == header.type && (use(type), true))); },
                    npy_types);
}

inline std::size_t npy_item_size(const std::filesystem::path& path, const NpyHeader& header) {
  std::size_t size = 0;
  if (!with_npy_type(header, [&]<typename T>(NpyType<T>) { size = sizeof(T); })) {
    std::string names;
    const auto append = [&](std::string_view name) { names += concatenate({names.empty() ? "" : ", ", name}); };
    std::apply([&](const auto&... type) { (append(type.name), ...); }, npy_types);
    throw FormatError(path, concatenate({"element type: ", in_quotes(header.type), ", expected one of ", names}));
  }
  return size;
}

// Reads the header, and checks that the file holds exactly the elements it announces.
inline NpyHeader read_npy_header(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
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
  std::size_t expected = npy_item_size(path, header);
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

// Converts the elements in the order of the file: output[number] = convert(element, number).
template <typename To, typename Convert>
std::vector<To> convert_npy(const NpyHeader& header, std::span<const std::uint8_t> bytes, const Convert& convert) {
  const std::uint8_t* const source = bytes.data() + header.data_begin;
  std::vector<To> output;
  with_npy_type(header, [&]<typename From>(NpyType<From>) {
    const std::size_t size = (bytes.size() - header.data_begin) / sizeof(From);
    allocate_for("the values of an NPY file", size * sizeof(To), [&] { output.resize(size); });
    To* const values = output.data();
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = convert(npy_element<From>(source + i * sizeof(From), header.big_endian), i);
    }
  });
  return output;
}

// The values in C order, in which the last axis runs fastest.
template <typename T>
std::vector<T> in_c_order(const NpyHeader& header, std::vector<T> values) {
  if (!header.fortran_order || header.shape.size() < 2) {
    return values;
  }
  // In Fortran order the first axis runs fastest: count the axes up like an odometer, from the left.
  const std::size_t rank = header.shape.size();
  std::vector<std::size_t> strides(rank, 1);
  for (std::size_t axis = rank; axis-- > 1;) {
    strides[axis - 1] = strides[axis] * header.shape[axis];
  }
  std::vector<T> ordered(values.size());
  std::vector<std::size_t> index(rank, 0);
  std::size_t position = 0;
  for (const T value : values) {
    ordered[position] = value;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      position += strides[axis];
      if (++index[axis] < header.shape[axis]) {
        break;
      }
      position -= strides[axis] * header.shape[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}

// The index of the file's nth element as NumPy writes it, such as [1, 0].
[[gnu::cold]] inline std::string index_text(const NpyHeader& header, std::size_t element) {
  const std::size_t rank = header.shape.size();
  std::vector<std::size_t> index(rank);
  for (std::size_t step = 0; step < rank; ++step) {
    const std::size_t axis = header.fortran_order ? step : rank - 1 - step;
    index[axis] = element % header.shape[axis];
    element /= header.shape[axis];
  }
  std::string text = "[";
  for (std::size_t axis = 0; axis < rank; ++axis) {
    text += concatenate({axis == 0 ? "" : ", ", index[axis]});
  }
  return text + "]";
}

// Turns a file's number into a feature or a logit. Real numbers are rounded to the nearest float; others must be one.
struct NpyToFloat {
  const std::filesystem::path& path;
  const NpyHeader& header;

  float operator()(NpyHalf value, std::size_t element) const {
    return (*this)(internal::half_to_float(value.bits), element);
  }

  float operator()(NpyBool value, std::size_t element) const {
    if (value.byte > 1) {
      fail(element, unsigned{value.byte}, "0 or 1");
    }
    return static_cast<float>(value.byte);
  }

  template <std::floating_point Real>
  float operator()(Real value, std::size_t element) const {
    if (!internal::is_finite_float(double{value})) {
      fail(element, value, "a finite number within float's range");
    }
    return static_cast<float>(value);
  }

  template <std::integral Integer>
  float operator()(Integer value, std::size_t element) const {
    const auto result = static_cast<float>(value);
    if constexpr (sizeof(Integer) > 2) {
      auto magnitude = static_cast<std::uint64_t>(value);
      if constexpr (std::signed_integral<Integer>) {
        magnitude = value < 0 ? 0 - magnitude : magnitude;
      }
      const float rounded = std::abs(result);
      if (!(rounded < 0x1p64f) || static_cast<std::uint64_t>(rounded) != magnitude) {
        fail(element, value, "a whole number that float holds exactly");
      }
    }
    return result;
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void fail(std::size_t element, const TextPart& value,
                                                   std::string_view expected) const {
    throw FormatError(
        path, concatenate({"element ", index_text(header, element), ": ", value.text(), ", expected ", expected}));
  }
};

// Turns a file's number into a class.
struct NpyToLabel {
  const std::filesystem::path& path;
  std::uint32_t first;
  std::uint32_t classes;  // the most classes allowed
  bool minus_one_is_unlabelled;

  std::uint32_t operator()(NpyHalf value, std::size_t sample) const {
    return (*this)(internal::half_to_float(value.bits), sample);
  }

  std::uint32_t operator()(NpyBool value, std::size_t sample) const { return (*this)(value.byte, sample); }

  template <std::floating_point Real>
  std::uint32_t operator()(Real value, std::size_t sample) const {
    const auto real = double{value};
    if (minus_one_is_unlabelled && real == -1) {
      return unlabelled;
    }
    const auto lowest = static_cast<double>(first);
    if (!is_finite(real) || real < lowest || real >= lowest + static_cast<double>(classes) ||
        real != std::floor(real)) {
      fail(sample, value);
    }
    return static_cast<std::uint32_t>(real) - first;
  }

  template <std::integral Integer>
  std::uint32_t operator()(Integer value, std::size_t sample) const {
    if (minus_one_is_unlabelled && std::cmp_equal(value, -1)) {
      return unlabelled;
    }
    if (std::cmp_less(value, first) || std::cmp_greater_equal(value, std::uint64_t{first} + classes)) {
      fail(sample, value);
    }
    return static_cast<std::uint32_t>(value) - first;
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void fail(std::size_t sample, const TextPart& value) const {
    throw FormatError(path,
                      concatenate({"label of sample ", sample, ": ", value.text(), ", expected a whole number, ", first,
                                   " or more and less than ", std::uint64_t{first} + classes,
                                   value.text() == "-1" ? " (NpyOptions::minus_one_is_unlabelled takes -1)" : ""}));
  }
};

struct NpyFeatures {
  Features values;  // (count, features)
  ImageShape image;
};

inline NpyFeatures load_npy_features(const std::filesystem::path& path, const NpyOptions& options) {
  std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit, options.expansion_limit);
  const NpyHeader header = read_npy_header(path, bytes);
  if (header.shape.size() < 2) {
    throw FormatError(path, concatenate({"rank: ", header.shape.size(), ", expected 2 (samples, features) or more"}));
  }
  const std::vector<std::size_t>& shape = header.shape;
  const auto is_channels = [](std::size_t extent) { return extent == 1 || extent == 3 || extent == 4; };
  const bool is_channels_first = shape.size() == 4 && (is_channels(shape[1]) || !is_channels(shape[3]));
  const ImageShape image = shape.size() == 3   ? ImageShape{shape[1], shape[2]}
                           : is_channels_first ? ImageShape{shape[2], shape[3], shape[1]}
                                               : ImageShape{};
  const std::size_t count = header.shape[0];
  const auto rows = [&]<typename T>(std::vector<T> values) {
    const std::size_t columns = values.size() / count;
    return Matrix<T>(count, columns, in_c_order(header, std::move(values)));
  };
  if (header.type == "u1") {
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header.data_begin));
    return {rows(std::move(bytes)), image};
  }
  std::vector<float> values = convert_npy<float>(header, bytes, NpyToFloat{path, header});
  std::vector<std::uint8_t>().swap(bytes);  // before the values are put in order
  return {rows(std::move(values)), image};
}

// A row of targets for each sample of the file of features.
inline Matrix<float> load_npy_targets(const std::filesystem::path& path, const NpyOptions& options, std::size_t samples,
                                      const std::filesystem::path& features_path) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit, options.expansion_limit);
  const NpyHeader header = read_npy_header(path, bytes);
  if (header.shape.empty() || header.shape.size() > 2) {
    throw FormatError(path,
                      concatenate({"rank: ", header.shape.size(), ", expected 1 (samples) or 2 (samples, targets)"}));
  }
  if (header.shape[0] != samples) {
    throw FormatError(path, concatenate({"rows of targets: ", header.shape[0], ", expected ", samples, " as in ",
                                         path_text(features_path.filename())}));
  }
  std::vector<float> values = in_c_order(header, convert_npy<float>(header, bytes, NpyToFloat{path, header}));
  const std::size_t columns = values.size() / samples;
  return Matrix<float>(samples, columns, std::move(values));
}

// Loads as many labels as the file of features has samples.
inline Labels load_npy_labels(const std::filesystem::path& path, const NpyOptions& options, std::size_t samples,
                              const std::filesystem::path& features_path) {
  const std::vector<std::uint8_t> bytes = read_plain_or_gzip(path, options.size_limit, options.expansion_limit);
  const NpyHeader header = read_npy_header(path, bytes);
  const bool is_column = header.shape.size() == 2 && header.shape[1] == 1;
  if (header.shape.size() != 1 && !is_column) {
    throw FormatError(path, concatenate({"labels of shape ", extents_text(header.shape),
                                         ", expected (samples) or (samples, 1) (one column a class? save "
                                         "array.argmax(axis=1))"}));
  }
  if (header.shape[0] != samples) {
    throw FormatError(path, concatenate({"number of labels: ", header.shape[0], ", expected ", samples, " as in ",
                                         path_text(features_path.filename())}));
  }
  const std::uint32_t limit = options.classes != 0 ? options.classes : std::numeric_limits<std::uint32_t>::max();
  return convert_npy<std::uint32_t>(header, bytes,
                                    NpyToLabel{path, options.first_label, limit, options.minus_one_is_unlabelled});
}

}  // namespace detail

/// A dataset from two NPY files, plain or compressed by gzip, of Python 2 or 3. Features: uint8, which stay bytes;
/// other integers and bool, each of which float must hold exactly; float16, float32, and float64, rounded to float.
/// Their shape is (samples, features), or for images (samples, rows, columns) or (samples, channels, rows, columns).
/// With other axes they are flattened after the first, and are no images; so are (samples, rows, columns, channels),
/// recognised where only the last axis is 1, 3 or 4. Labels: any of these types, whole numbers, of shape (samples) or
/// (samples, 1). Either byte order, C or Fortran order. Throws FileError, and FormatError that names the file and its
/// fault: anything but exactly the announced elements, a NaN or an infinity, a whole number that float would round, a
/// label that is no whole number, is -1 unless options.minus_one_is_unlabelled is set, is below options.first_label or
/// is not below it + options.classes, labels that do not begin at first_label if `classes` is not given, counts that
/// differ; OptionError. Memory: a file and its contents, which are 4 bytes a label, 4 bytes a feature that is not
/// uint8, and the features twice if they are in Fortran order, once their file is released.
[[gnu::cold]] inline Dataset load_npy(const std::filesystem::path& features_path,
                                      const std::filesystem::path& labels_path, const NpyOptions& options = {}) {
  detail::NpyFeatures features = detail::load_npy_features(features_path, options);
  const std::size_t samples =
      features.values.index() == 0 ? std::get<0>(features.values).rows() : std::get<1>(features.values).rows();
  Labels labels = detail::load_npy_labels(labels_path, options, samples, features_path);
  const std::uint32_t classes = detail::count_classes(labels_path, labels, options.classes, options.first_label);
  return {std::move(features.values), std::move(labels), classes, features.image, options.normalization};
}

/// A dataset without labels from the NPY file of its features, read as above; `options` for labels have no meaning.
[[gnu::cold]] inline Dataset load_unlabelled_npy(const std::filesystem::path& features_path,
                                                 const NpyOptions& options = {}) {
  detail::NpyFeatures features = detail::load_npy_features(features_path, options);
  return Dataset{std::move(features.values), features.image, options.normalization};
}

/// A dataset with targets in place of labels, from the NPY files of its features and of its targets, both read as
/// features are above. Targets have the shape (samples, targets), or (samples) for one each. Throws as load_npy does;
/// `options` for labels have no meaning.
[[gnu::cold]] inline Dataset load_npy_with_targets(const std::filesystem::path& features_path,
                                                   const std::filesystem::path& targets_path,
                                                   const NpyOptions& options = {}) {
  Dataset samples = load_unlabelled_npy(features_path, options);
  Matrix<float> targets = detail::load_npy_targets(targets_path, options, samples.size(), features_path);
  return std::move(samples).with_targets(std::move(targets));
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
