#pragma once
/// @file
/// The JSON header of a safetensors file: its text as facts, and the other way round. Format: the README of
/// huggingface/safetensors. Reading is strict, and in one pass without a tree, so that no nesting and no repeated key
/// gets by.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/io/dtype.hpp"

namespace retort::io {

/// Free text under "__metadata__", in the order of its keys.
using Metadata = std::map<std::string, std::string, std::less<>>;

namespace detail {

inline constexpr std::string_view metadata_key = "__metadata__";

/// The format's limit, in bytes.
inline constexpr std::uintmax_t largest_header = 100'000'000;

/// What the header says of one tensor. Offsets count bytes from the end of the header.
struct TensorEntry {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::size_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorEntry> tensors;  // by offset, then by name where several are empty
};

/// `text` in quotes and ASCII, on one line and cut where it is long: names come from files, messages are one line.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 80;
  const bool cut = text.size() > longest;
  return nlohmann::json(text.substr(0, longest)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
         (cut ? "..." : "");
}

inline std::string shape_text(std::span<const std::size_t> shape) {
  constexpr std::size_t most = 8;
  std::string text = "[";
  for (std::size_t axis = 0; axis < std::min(shape.size(), most); ++axis) {
    text += (axis == 0 ? "" : ", ") + std::to_string(shape[axis]);
  }
  return text + (shape.size() > most ? ", ...]" : "]");
}

/// Bytes of a tensor; nothing where they cannot be counted in 64 bits or are no whole number.
inline std::optional<std::size_t> tensor_bytes(DType dtype, std::span<const std::size_t> shape) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) {
    return 0;
  }
  std::size_t bits = dtype_bits(dtype);
  for (const std::size_t extent : shape) {
    if (extent > std::numeric_limits<std::size_t>::max() / bits) {
      return std::nullopt;
    }
    bits *= extent;
  }
  return bits % 8 == 0 ? std::optional<std::size_t>(bits / 8) : std::nullopt;
}

/// Hears the parser's events and keeps what the format allows; throws FormatError at the first that it does not.
class SafetensorsHeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit SafetensorsHeaderReader(const std::filesystem::path& path) : path_(path) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { unexpected("a number with a fraction or too large"); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      tensor().shape.push_back(static_cast<std::size_t>(value));
    } else if (place_ == Place::data_offsets && offsets_ < 2) {
      (offsets_++ == 0 ? tensor().begin : tensor().end) = static_cast<std::size_t>(value);
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = value;
    } else if (place_ == Place::tensor && key_ == "dtype") {
      const std::optional<DType> dtype = parse_dtype(value);
      if (!dtype) {
        fail(where() + in_quotes(value) + ", expected a dtype of the format, such as \"F32\"");
      }
      tensor().dtype = *dtype;
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::top) {
      if (!names_.insert(name).second) {
        fail("header: key " + in_quotes(name) + " stands twice, expected once");
      }
    } else if (place_ == Place::metadata) {
      if (header_.metadata.contains(name)) {
        fail("header, __metadata__: key " + in_quotes(name) + " stands twice, expected once");
      }
    } else {
      take_field(name);
    }
    key_ = name;
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == metadata_key) {
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      place_ = Place::tensor;
      header_.tensors.emplace_back().name = key_;
      has_dtype_ = has_shape_ = has_data_offsets_ = false;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor && !(has_dtype_ && has_shape_ && has_data_offsets_)) {
      fail("tensor " + in_quotes(tensor().name) + ": no " +
           (!has_dtype_   ? "dtype"
            : !has_shape_ ? "shape"
                          : "data_offsets") +
           ", expected dtype, shape and data_offsets");
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::tensor && key_ == "shape") {
      place_ = Place::shape;
    } else if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::data_offsets;
      offsets_ = 0;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    if (place_ == Place::data_offsets && offsets_ != 2) {
      unexpected(std::to_string(offsets_) + " numbers");
    }
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail("header, byte " + std::to_string(position) + ": no valid JSON, expected an object in UTF-8");
  }

 private:
  enum class Place { outside, top, metadata, tensor, shape, data_offsets };

  TensorEntry& tensor() { return header_.tensors.back(); }

  void take_field(const std::string& name) {
    bool* const has = name == "dtype"          ? &has_dtype_
                      : name == "shape"        ? &has_shape_
                      : name == "data_offsets" ? &has_data_offsets_
                                               : nullptr;
    if (has == nullptr || *has) {
      fail("tensor " + in_quotes(tensor().name) + ": field " + in_quotes(name) + (has == nullptr ? "" : " again") +
           ", expected dtype, shape and data_offsets, each once");
    }
    *has = true;
  }

  std::string where() const {
    switch (place_) {
      case Place::outside:
        return "header: ";
      case Place::top:
        return key_ == metadata_key ? "header, __metadata__: " : "tensor " + in_quotes(key_) + ": ";
      case Place::metadata:
        return "header, __metadata__, " + in_quotes(key_) + ": ";
      default:
        return "tensor " + in_quotes(header_.tensors.back().name) + ", " + key_ + ": ";
    }
  }

  [[noreturn]] void unexpected(const std::string& found) const {
    const bool in_tensor = place_ == Place::tensor || place_ == Place::shape || place_ == Place::data_offsets;
    fail(where() + found + ", expected " +
         (place_ == Place::metadata ? "a string"
          : !in_tensor              ? "an object"
          : key_ == "dtype"         ? "a string"
          : key_ == "shape"         ? "an array of whole numbers"
                                    : "an array of two whole numbers, begin and end"));
  }

  [[noreturn]] void fail(const std::string& reason) const { throw FormatError(path_, reason); }

  const std::filesystem::path& path_;
  SafetensorsHeader header_;
  std::set<std::string, std::less<>> names_;
  std::string key_;
  Place place_ = Place::outside;
  std::size_t offsets_ = 0;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_data_offsets_ = false;
};

/// The facts in a header's text, checked against each other and against the `data_size` bytes that follow it: the
/// tensors cover the data without gap or overlap. Throws FormatError naming `path`.
inline SafetensorsHeader parse_safetensors_header(const std::filesystem::path& path, std::string_view text,
                                                  std::size_t data_size) {
  if (text.empty() || text.front() != '{') {
    throw FormatError(path, "header: expected a JSON object that begins with '{'");
  }
  // The parser takes a zero byte for the end of its input and would not see what follows.
  if (text.find('\0') != std::string_view::npos) {
    throw FormatError(path, "header: holds a zero byte, expected JSON text");
  }
  SafetensorsHeaderReader reader(path);
  nlohmann::json::sax_parse(text, &reader);
  SafetensorsHeader header = reader.take();

  std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorEntry& left, const TensorEntry& right) {
    return std::tie(left.begin, left.end, left.name) < std::tie(right.begin, right.end, right.name);
  });
  std::size_t covered = 0;
  for (const TensorEntry& tensor : header.tensors) {
    const std::string where = "tensor " + in_quotes(tensor.name) + ": ";
    const std::string offsets = "[" + std::to_string(tensor.begin) + ", " + std::to_string(tensor.end) + "]";
    if (tensor.begin > tensor.end || tensor.end > data_size) {
      throw FormatError(path, where + "data_offsets " + offsets + ", expected begin <= end <= " +
                                  std::to_string(data_size) + ", the bytes of data in the file (is it cut short?)");
    }
    const std::optional<std::size_t> bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (bytes != tensor.end - tensor.begin) {
      throw FormatError(path, where + "data_offsets " + offsets + ", expected " +
                                  (bytes ? std::to_string(*bytes) : std::string("a countable number of")) +
                                  " bytes for dtype " + std::string(dtype_name(tensor.dtype)) + " and shape " +
                                  shape_text(tensor.shape));
    }
    if (tensor.begin != covered) {
      throw FormatError(path, where + "data_offsets " + offsets + ", expected to begin at " + std::to_string(covered) +
                                  ", where the tensor before it ends");
    }
    covered = tensor.end;
  }
  if (covered != data_size) {
    throw FormatError(path, "data: " + std::to_string(data_size) + " bytes, expected the " + std::to_string(covered) +
                                " that the header describes");
  }
  return header;
}

/// `text` as a JSON string. Throws nlohmann::json::exception where it is not UTF-8.
inline std::string json_string(std::string_view text) { return nlohmann::json(text).dump(); }

/// The text of a header, without padding: metadata first, then the tensors as they come.
inline std::string safetensors_header_text(const SafetensorsHeader& header) {
  std::string text = "{";
  if (!header.metadata.empty()) {
    text += json_string(metadata_key) + ":{";
    for (const auto& [key, value] : header.metadata) {
      text += (text.back() == '{' ? "" : ",") + json_string(key) + ":" + json_string(value);
    }
    text += "}";
  }
  for (const TensorEntry& tensor : header.tensors) {
    text += (text.back() == '{' ? "" : ",") + json_string(tensor.name) + ":{\"dtype\":\"" +
            std::string(dtype_name(tensor.dtype)) + "\",\"shape\":[";
    for (const std::size_t extent : tensor.shape) {
      text += (text.back() == '[' ? "" : ",") + std::to_string(extent);
    }
    text += "],\"data_offsets\":[" + std::to_string(tensor.begin) + "," + std::to_string(tensor.end) + "]}";
  }
  return text + "}";
}

}  // namespace detail

}  // namespace retort::io
