// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The JSON header of a safetensors file: its text as facts, and the reverse. Format: the README of
/// huggingface/safetensors. Reading is strict, and in one pass without a tree, so that no nesting and no repeated key
/// gets by.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/json.hpp"
#include "retort/core/quote.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"
#include "retort/io/tensor.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

/// Free text under "__metadata__", in the order of its keys.
using Metadata = std::map<std::string, std::string, std::less<>>;

namespace detail {

inline constexpr std::string_view metadata_key = "__metadata__";

/// The format's limit, in bytes.
inline constexpr std::uintmax_t largest_header = 100'000'000;

}  // namespace detail

/// Bytes of the longest header that is written, and read unless a reader asks for more: 16 MiB, the names and shapes of
/// more than 100,000 tensors. Once it is parsed, a header takes up to ten times its bytes.
inline constexpr std::uintmax_t default_header_limit = std::uintmax_t{1} << 24;

namespace detail {

/// What the header says about one tensor. Offsets count bytes from the end of the header.
struct TensorEntry {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::size_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorEntry> tensors;  // by offset, then by name if several are empty
};

/// Quotes a name as the header has it, in double quotes.
[[gnu::cold]] inline std::string in_quotes(std::string_view text) { return retort::in_quotes(text, '"'); }

[[gnu::cold]] inline std::string shape_text(std::span<const std::size_t> shape) {
  constexpr std::size_t most = 8;
  std::string text = "[";
  for (std::size_t axis = 0; axis < std::min(shape.size(), most); ++axis) {
    text += concatenate({axis == 0 ? "" : ", ", shape[axis]});
  }
  return text += shape.size() > most ? ", ...]" : "]";
}

/// Bytes of a tensor; nothing if they do not fit 64 bits or are no whole number.
inline std::optional<std::size_t> tensor_bytes(DType dtype, std::span<const std::size_t> shape) {
  if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end()) {
    return 0;
  }
  std::size_t bits = detail::dtype_bits(dtype);
  for (const std::size_t extent : shape) {
    if (extent > std::numeric_limits<std::size_t>::max() / bits) {
      return std::nullopt;
    }
    bits *= extent;
  }
  return bits % 8 == 0 ? std::optional<std::size_t>(bits / 8) : std::nullopt;
}

/// Reads what the format allows; throws FormatError at the first violation.
class SafetensorsHeaderReader {
 public:
  SafetensorsHeaderReader(const std::filesystem::path& path, std::string_view text) : path_(path), json_(text) {}

  [[gnu::cold]] SafetensorsHeader read() {
    try {
      read_object();
      json_.end();
    } catch (const JsonError& error) {
      fail(concatenate({"header, byte ", error.byte(), ": no valid JSON, expected an object in UTF-8"}));
    }
    return std::move(header_);
  }

 private:
  [[gnu::cold]] void read_object() {
    std::set<std::string, std::less<>> names;
    json_.begin_object();
    for (std::string name; json_.next_key(name);) {
      if (!names.insert(name).second) {
        fail(concatenate({"header: key ", in_quotes(name), " stands twice, expected once"}));
      }
      if (name == metadata_key) {
        read_metadata();
      } else {
        read_tensor(name);
      }
    }
  }

  [[gnu::cold]] void read_metadata() {
    const std::string where = "header, __metadata__";
    require(internal::JsonKind::object, where, "an object");
    json_.begin_object();
    for (std::string key; json_.next_key(key);) {
      if (header_.metadata.contains(key)) {
        fail(concatenate({where, ": key ", in_quotes(key), " stands twice, expected once"}));
      }
      require(internal::JsonKind::string, concatenate({where, ", ", in_quotes(key)}), "a string");
      header_.metadata[key] = json_.string();
    }
  }

  [[gnu::cold]] void read_tensor(const std::string& name) {
    const std::string where = concatenate({"tensor ", in_quotes(name)});
    require(internal::JsonKind::object, where, "an object");
    TensorEntry& tensor = header_.tensors.emplace_back();
    tensor.name = name;
    constexpr std::array<std::string_view, 3> fields{"dtype", "shape", "data_offsets"};
    std::array<bool, 3> has{};
    json_.begin_object();
    for (std::string key; json_.next_key(key);) {
      const auto field = static_cast<std::size_t>(std::find(fields.begin(), fields.end(), key) - fields.begin());
      if (field == fields.size() || has[field]) {
        fail(concatenate({where, ": field ", in_quotes(key), (field == fields.size() ? "" : " again"),
                          ", expected dtype, shape and data_offsets, each once"}));
      }
      has[field] = true;
      if (field == 0) {
        tensor.dtype = read_dtype(concatenate({where, ", dtype"}));
      } else if (field == 1) {
        tensor.shape = read_numbers(concatenate({where, ", shape"}), "an array of whole numbers", max_rank);
      } else {
        read_offsets(concatenate({where, ", data_offsets"}), tensor);
      }
    }
    const auto missing = static_cast<std::size_t>(std::find(has.begin(), has.end(), false) - has.begin());
    if (missing < fields.size()) {
      fail(concatenate({where, ": no ", fields[missing], ", expected dtype, shape and data_offsets"}));
    }
  }

  [[gnu::cold]] DType read_dtype(const std::string& where) {
    require(internal::JsonKind::string, where, "a string");
    const std::string name = json_.string();
    const std::optional<DType> dtype = detail::parse_dtype(name);
    if (!dtype) {
      fail(concatenate({where, ": ", in_quotes(name), ", expected a dtype of the format, such as \"F32\""}));
    }
    return *dtype;
  }

  [[gnu::cold]] void read_offsets(const std::string& where, TensorEntry& tensor) {
    constexpr std::string_view expected = "an array of two whole numbers, begin and end";
    const std::vector<std::size_t> offsets = read_numbers(where, expected, 2);
    if (offsets.size() != 2) {
      unexpected(where, concatenate({offsets.size(), " numbers"}), expected);
    }
    tensor.begin = offsets[0];
    tensor.end = offsets[1];
  }

  [[gnu::cold]] std::vector<std::size_t> read_numbers(const std::string& where, std::string_view expected,
                                                      std::size_t most) {
    std::vector<std::size_t> numbers;
    require(internal::JsonKind::array, where, expected);
    json_.begin_array();
    while (json_.next_element()) {
      require(internal::JsonKind::number, where, expected);
      const std::string_view text = json_.number();
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (text.front() == '-') {
        unexpected(where, "a negative number", expected);
      }
      if (error != std::errc{} || end != text.data() + text.size()) {
        unexpected(where, "a number with a fraction or too large", expected);
      }
      if (numbers.size() == most) {
        unexpected(where, "a number", expected);
      }
      numbers.push_back(to_size(number));
    }
    return numbers;
  }

  /// Throws FormatError unless a value of that kind comes next.
  [[gnu::cold]] void require(internal::JsonKind kind, const std::string& where, std::string_view expected) {
    constexpr std::array<std::string_view, 6> names{"null",     "a boolean", "a number",
                                                    "a string", "an array",  "an object"};
    const internal::JsonKind found = json_.kind();
    if (found != kind) {
      unexpected(where, names[static_cast<std::size_t>(found)], expected);
    }
  }

  [[noreturn, gnu::cold]] void unexpected(const std::string& where, std::string_view found,
                                          std::string_view expected) const {
    fail(concatenate({where, ": ", found, ", expected ", expected}));
  }

  [[noreturn, gnu::cold]] void fail(const std::string& reason) const { throw FormatError(path_, reason); }

  static constexpr std::size_t max_rank = std::numeric_limits<std::size_t>::max();  // the format has no limit

  const std::filesystem::path& path_;
  internal::JsonReader json_;
  SafetensorsHeader header_;
};

/// Orders by offset, then by name. Not inlined: a sort compares at many places.
[[gnu::cold, gnu::noinline]] inline bool comes_before(const TensorEntry* left, const TensorEntry* right) {
  if (left->begin != right->begin) {
    return left->begin < right->begin;
  }
  return left->end != right->end ? left->end < right->end : left->name < right->name;
}

[[gnu::cold]] inline void sort_by_offset(std::vector<TensorEntry>& tensors) {
  std::vector<TensorEntry*> order;
  order.reserve(tensors.size());
  for (TensorEntry& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), comes_before);
  std::vector<TensorEntry> sorted;
  sorted.reserve(tensors.size());
  for (TensorEntry* tensor : order) {
    sorted.push_back(std::move(*tensor));
  }
  tensors = std::move(sorted);
}

/// The facts in a header's text, checked against each other and against the `data_size` bytes that follow it: the
/// tensors cover the data without gap or overlap. Throws FormatError naming `path`.
[[gnu::cold]] inline SafetensorsHeader parse_safetensors_header(const std::filesystem::path& path,
                                                                std::string_view text, std::size_t data_size) {
  if (text.empty() || text.front() != '{') {
    throw FormatError(path, "header: expected a JSON object that begins with '{'");
  }
  if (text.find('\0') != std::string_view::npos) {
    throw FormatError(path, "header: holds a zero byte, expected JSON text");
  }
  SafetensorsHeader header = SafetensorsHeaderReader(path, text).read();

  sort_by_offset(header.tensors);
  std::size_t covered = 0;
  for (const TensorEntry& tensor : header.tensors) {
    const std::string where = concatenate(
        {"tensor ", in_quotes(tensor.name), ": data_offsets [", tensor.begin, ", ", tensor.end, "], expected "});
    if (tensor.begin > tensor.end || tensor.end > data_size) {
      throw FormatError(path, concatenate({where, "begin <= end <= ", data_size,
                                           ", the bytes of data in the file (is it cut short?)"}));
    }
    const std::optional<std::size_t> bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (bytes != tensor.end - tensor.begin) {
      throw FormatError(path,
                        concatenate({where, bytes ? to_text(*bytes) : "a countable number of", " bytes for dtype ",
                                     dtype_name(tensor.dtype), " and shape ", shape_text(tensor.shape)}));
    }
    if (tensor.begin != covered) {
      throw FormatError(path, concatenate({where, "to begin at ", covered, ", where the tensor before it ends"}));
    }
    covered = tensor.end;
  }
  if (covered != data_size) {
    throw FormatError(
        path, concatenate({"data: ", data_size, " bytes, expected the ", covered, " that the header describes"}));
  }
  return header;
}

/// The text of a header, without padding: metadata first, then the tensors in their order. Throws JsonError if a name
/// or the metadata are not UTF-8.
[[gnu::cold]] inline std::string safetensors_header_text(const SafetensorsHeader& header) {
  std::string text = "{";
  if (!header.metadata.empty()) {
    text += concatenate({json_string(metadata_key), ":{"});
    for (const auto& [key, value] : header.metadata) {
      text += concatenate({text.back() == '{' ? "" : ",", json_string(key), ":", json_string(value)});
    }
    text += '}';
  }
  for (const TensorEntry& tensor : header.tensors) {
    text += concatenate({text.back() == '{' ? "" : ",", json_string(tensor.name), ":{\"dtype\":\"",
                         dtype_name(tensor.dtype), "\",\"shape\":", json_array(tensor.shape), ",\"data_offsets\":[",
                         tensor.begin, ",", tensor.end, "]}"});
  }
  return text += '}';
}

}  // namespace detail

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
