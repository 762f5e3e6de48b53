// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A model's tensors in a safetensors file that lies in memory: found and checked where they are. Format: the README of
/// huggingface/safetensors. As strict as io/safetensors.hpp, and it neither copies, allocates nor throws.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/size.hpp"
#include "retort/nn/layer.hpp"
#include "retort/nn/sequential.hpp"
#include "retort/nn/tensor_fault.hpp"
#include "retort/predict/json_text.hpp"
#include "retort/predict/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian, and so must be the host");

/// A text of a file, in quotes.
[[gnu::cold, gnu::noinline]] inline void add_quoted(Message& message, JsonCharacters text, std::size_t longest = 80) {
  message.add('"');
  for (int letter = text.next(); letter >= 0; letter = text.next()) {
    if (longest-- == 0) {
      message.add("...");
      break;
    }
    message.add(letter < JsonCharacters::escaped ? static_cast<char>(letter) : '?');
  }
  message.add('"');
}

[[gnu::cold, gnu::noinline]] inline void add_shape(Message& message, std::span<const std::size_t> shape, bool more) {
  message.add('[');
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    message.add(axis == 0 ? "" : ", ").add(shape[axis]);
  }
  message.add(more ? ", ...]" : "]");
}

/// What a model expects of its file.
struct ExpectedWeights {
  std::span<const TensorInfo> parameters;
  std::span<const TensorInfo> buffers;
  bool (*has_signature)(JsonCharacters text);
  void (*add_signature)(Message& message);

  std::size_t size() const { return parameters.size() + buffers.size(); }
  const TensorInfo& operator[](std::size_t index) const {
    return index < parameters.size() ? parameters[index] : buffers[index - parameters.size()];
  }
};

/// Reads one file. Each function is false if the file breaks a rule; the message then says which.
class WeightsReader {
 public:
  /// places[i], which are null, becomes tensor i's place in the file, parameters first. A count, which no prediction
  /// needs, may be missing.
  WeightsReader(const ExpectedWeights& expected, std::span<const std::byte> file, std::span<const std::byte*> places,
                Message& message)
      : expected_(expected), file_(file), places_(places), message_(message) {}

  [[gnu::cold]] bool read() {
    return find_header() && read_metadata() && check_signature() && read_tensors() && check_tensors() &&
           check_fingerprint();
  }

  /// The texts of the metadata that predictions need, where the file has them.
  const std::optional<JsonCharacters>& preprocessing() const { return preprocessing_; }
  const std::optional<JsonCharacters>& example() const { return example_; }

 private:
  /// Writes "reason" to the message, and returns false.
  template <typename... Parts>
  [[gnu::cold]] bool fail(const Parts&... parts) {
    (message_.add(parts), ...);
    return false;
  }

  [[gnu::cold]] bool find_header() {
    std::uint64_t size = 0;
    if (file_.size() < sizeof(size)) {
      return fail("header length: the file has ", file_.size(), " bytes, expected at least 8");
    }
    std::memcpy(&size, file_.data(), sizeof(size));
    const std::size_t most = file_.size() - sizeof(size);
    if (size > most) {
      return fail("header length: ", size, ", expected at most ", most,
                  ", the rest of the file (is it a safetensors file?)");
    }
    const auto length = to_size(size);
    header_ = {reinterpret_cast<const char*>(file_.data()) + sizeof(size), length};
    data_ = file_.subspan(sizeof(size) + length);
    return header_.starts_with('{') || fail("header: expected a JSON object that begins with '{'");
  }

  /// Calls read(json, key) for each entry of the header.
  template <typename Read>
  [[gnu::cold]] bool read_header(const Read& read) {
    JsonText json(JsonCharacters(header_, 0));
    if (json.object([&](JsonCharacters key) { return read(json, key); }) && json.end()) {
      return true;
    }
    return !message_.empty() ? false
                             : fail("header, byte ", header_.size() - json.characters().rest().size() + 1,
                                    ": no valid JSON, expected an object");
  }

  [[gnu::cold]] bool read_metadata() {
    bool has_metadata = false;
    return read_header([&](JsonText& json, JsonCharacters key) {
      if (key != "__metadata__") {
        TensorEntry ignored;
        return read_entry(json, key, ignored);
      }
      if (has_metadata) {
        return fail("header: key \"__metadata__\" stands twice, expected once");
      }
      has_metadata = true;
      metadata_ = json;
      return json.object([&](JsonCharacters name) {
        JsonCharacters text;
        return json.string(text) && keep(name, text);
      });
    });
  }

  [[gnu::cold]] bool keep(JsonCharacters name, JsonCharacters text) {
    std::optional<JsonCharacters>* const kept = name == "retort.model"           ? &signature_
                                                : name == checksum_key           ? &checksum_
                                                : name == "retort.preprocessing" ? &preprocessing_
                                                : name == "retort.example"       ? &example_
                                                                                 : nullptr;
    if (kept == nullptr) {
      return true;
    }
    if (*kept) {
      add_quoted(message_.add("header, __metadata__: key "), name);
      return fail(" stands twice, expected once");
    }
    *kept = text;
    return true;
  }

  [[gnu::cold]] bool check_signature() {
    if (!signature_ || expected_.has_signature(*signature_)) {
      return true;
    }
    add_quoted(message_.add("holds the model "), *signature_, 120);
    expected_.add_signature(message_.add(", expected "));
    return false;
  }

  struct TensorEntry {
    JsonCharacters dtype;
    std::array<std::size_t, 4> shape{};
    std::size_t rank = 0;  // may be above 4
    std::array<std::uint64_t, 2> offsets{};
  };

  /// "tensor "0.weight": ", and the parts.
  template <typename... Parts>
  [[gnu::cold]] bool fail_at(JsonCharacters tensor, const Parts&... parts) {
    add_quoted(message_.add("tensor "), tensor);
    return fail(": ", parts...);
  }
  template <typename... Parts>
  [[gnu::cold]] bool fail_at(const TensorInfo& tensor, const Parts&... parts) {
    return fail_at(JsonCharacters(tensor.full_name(), 0), parts...);
  }

  [[gnu::cold, gnu::noinline]] bool read_entry(JsonText& json, JsonCharacters name, TensorEntry& entry) {
    std::array<bool, 3> has{};
    const auto read_extent = [&] {
      std::uint64_t extent = 0;
      if (!json.count(extent) || extent > std::numeric_limits<std::size_t>::max()) {
        return false;
      }
      if (entry.rank < entry.shape.size()) {
        entry.shape[entry.rank] = to_size(extent);
      }
      ++entry.rank;
      return true;
    };
    std::size_t offsets = 0;
    const auto read_offset = [&] {
      if (offsets == entry.offsets.size()) {
        return false;
      }
      ++offsets;
      return json.count(entry.offsets[offsets - 1]);
    };
    const bool is_entry = json.object([&](JsonCharacters key) {
      const std::size_t field = key == "dtype" ? 0 : key == "shape" ? 1 : key == "data_offsets" ? 2 : has.size();
      if (field == has.size() || has[field]) {
        return false;
      }
      has[field] = true;
      return field == 0 ? json.string(entry.dtype)
                        : json.array([&] { return field == 1 ? read_extent() : read_offset(); });
    });
    if (!is_entry || !has[0] || !has[1] || offsets != entry.offsets.size()) {
      return fail_at(name, "expected an object with a dtype, a shape and two data_offsets, each once");
    }
    return true;
  }

  [[gnu::cold]] bool read_tensors() {
    return read_header([&](JsonText& json, JsonCharacters name) {
      if (name == "__metadata__") {
        JsonCharacters ignored;
        return json.object([&](JsonCharacters) { return json.string(ignored); });
      }
      TensorEntry entry;
      return read_entry(json, name, entry) && keep_tensor(name, entry);
    });
  }

  [[gnu::cold]] bool keep_tensor(JsonCharacters name, const TensorEntry& entry) {
    std::size_t index = 0;
    while (index < expected_.size() && name != expected_[index].full_name()) {
      ++index;
    }
    if (index == expected_.size()) {
      fail_at(name, "no tensor of the model ");
      expected_.add_signature(message_);
      return false;
    }
    const TensorSpec& spec = expected_[index].spec;
    const std::span<const std::size_t> shape(spec.extents.data(), spec.rank);
    bool same = entry.rank == spec.rank;
    for (std::size_t axis = 0; same && axis < shape.size(); ++axis) {
      same = entry.shape[axis] == shape[axis];
    }
    if (!same) {
      fail_at(name, "shape ");
      const std::size_t known = entry.rank < entry.shape.size() ? entry.rank : entry.shape.size();
      add_shape(message_, std::span(entry.shape).first(known), known < entry.rank);
      add_shape(message_.add(", expected "), shape, false);
      return false;
    }
    const std::string_view dtype = spec.integral ? "I64" : "F32";
    if (entry.dtype != dtype) {
      fail_at(name, "dtype ");
      add_quoted(message_, entry.dtype);
      return fail(", expected \"", dtype, "\", as a network of floats is saved: the file's numbers are used in place");
    }
    const auto [begin, end] = entry.offsets;
    const std::size_t bytes = bytes_of(spec);
    if (begin > end || end > data_.size() || end - begin != bytes) {
      return fail_at(name, "data_offsets [", begin, ", ", end, "], expected ", bytes, " bytes among the ", data_.size(),
                     " of data in the file (is it cut short?)");
    }
    if (places_[index] != nullptr) {
      return fail_at(name, "stands twice, expected once");
    }
    const std::byte* const place = data_.data() + begin;
    if (!spec.integral && reinterpret_cast<std::uintptr_t>(place) % alignof(float) != 0) {
      return fail_at(name, "its numbers are at no multiple of 4 bytes in memory, expected a file that begins at one");
    }
    places_[index] = place;
    return true;
  }

  static std::size_t bytes_of(const TensorSpec& spec) {
    return spec.count() * (spec.integral ? sizeof(std::int64_t) : sizeof(float));
  }

  /// They are complete, cover the data without overlap, and hold numbers that a network may hold.
  [[gnu::cold]] bool check_tensors() {
    std::size_t covered = 0;
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      const TensorInfo& tensor = expected_[i];
      if (places_[i] == nullptr) {
        if (!tensor.spec.integral) {
          return fail_at(tensor, "missing, expected among the file's tensors");
        }
        continue;
      }
      const std::size_t bytes = bytes_of(tensor.spec);
      covered += bytes;
      for (std::size_t other = 0; other < i; ++other) {
        if (places_[other] != nullptr && places_[i] < places_[other] + bytes_of(expected_[other].spec) &&
            places_[other] < places_[i] + bytes) {
          return fail_at(tensor, "data_offsets overlap those of tensor \"", expected_[other].full_name(), "\"");
        }
      }
    }
    if (covered != data_.size()) {
      return fail("data: ", data_.size(), " bytes, expected the ", covered, " that the header describes");
    }
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      if (!expected_[i].spec.integral && !check_values(i)) {
        return false;
      }
    }
    return true;
  }

  [[gnu::cold]] bool check_values(std::size_t index) {
    const TensorInfo& tensor = expected_[index];
    const auto* const values = reinterpret_cast<const float*>(places_[index]);
    const ElementFault found = find_fault(tensor.spec, std::span(values, tensor.count()));
    if (found.fault == TensorFault::none) {
      return true;
    }
    return fail_at(tensor, "element ", found.element, ", expected ",
                   found.fault == TensorFault::not_finite          ? "a finite number"
                   : found.fault == TensorFault::negative_variance ? "a number of at least 0"
                                                                   : "a magnitude of at most 2^63");
  }

  /// Compares the file's checksum, if it has one, as io/checksum.hpp makes it: of the metadata in the order of their
  /// keys, and of the tensors in that of their names.
  [[gnu::cold]] bool check_fingerprint() {
    if (!checksum_) {
      return true;
    }
    Fingerprint print;
    std::optional<JsonCharacters> last;
    for (std::optional<JsonText> entry = first_metadata_after(last); entry; entry = first_metadata_after(last)) {
      JsonCharacters text;
      entry->string(text);
      last = text;
      if (text != checksum_key) {
        add_text(print, text);
        entry->take(':');
        entry->string(text);
        add_text(print, text);
      }
    }
    const TensorInfo* before = nullptr;
    for (;;) {
      std::size_t next = expected_.size();
      for (std::size_t i = 0; i < expected_.size(); ++i) {
        const std::string_view name = expected_[i].full_name();
        if (places_[i] != nullptr && (before == nullptr || name > before->full_name()) &&
            (next == expected_.size() || name < expected_[next].full_name())) {
          next = i;
        }
      }
      if (next == expected_.size()) {
        break;
      }
      before = &expected_[next];
      add_tensor(print, *before, places_[next]);
    }
    Message found;
    found.add(print.value());
    return *checksum_ == found.text() ||
           fail("checksum: ", found.text(),
                ", not that of metadata retort.checksum: the file is not as it was written");
  }

  static void add_tensor(Fingerprint& print, const TensorInfo& tensor, const std::byte* place) {
    const TensorSpec& spec = tensor.spec;
    add_text(print, JsonCharacters(tensor.full_name(), 0));
    add_text(print, JsonCharacters(spec.integral ? "I64" : "F32", 0));
    for (std::size_t axis = 0; axis <= spec.rank; ++axis) {
      add_count(print, axis < spec.rank ? spec.extents[axis] : spec.rank);
    }
    print.add(std::span(place, bytes_of(spec)));
  }

  static void add_count(Fingerprint& print, std::uint64_t count) {
    print.add(std::span<const std::uint64_t>(&count, 1));
  }

  [[gnu::cold]] static void add_text(Fingerprint& print, JsonCharacters text) {
    std::uint64_t size = 0;
    for_each_byte(text, [&](std::byte) { ++size; });
    add_count(print, size);
    for_each_byte(text, [&](std::byte byte) { print.add(std::span(&byte, 1)); });
  }

  /// The text in UTF-8.
  template <typename Call>
  [[gnu::cold]] static void for_each_byte(JsonCharacters text, const Call& call) {
    for (int letter = text.next(); letter >= 0; letter = text.next()) {
      if (letter < JsonCharacters::escaped) {
        call(static_cast<std::byte>(letter));
        continue;
      }
      auto code = static_cast<std::uint32_t>(letter - JsonCharacters::escaped);
      if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair
        code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(text.next()) & 0x3FFu);
      }
      const int rest = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes after the first
      constexpr std::array<std::uint32_t, 3> marks{0xC0, 0xE0, 0xF0};
      call(static_cast<std::byte>(marks[static_cast<std::size_t>(rest) - 1] | code >> (6 * rest)));
      for (int shift = 6 * (rest - 1); shift >= 0; shift -= 6) {
        call(static_cast<std::byte>(0x80u | (code >> shift & 0x3Fu)));
      }
    }
  }

  /// Where the metadata's next key begins, by its bytes: the least above `last`.
  [[gnu::cold]] std::optional<JsonText> first_metadata_after(const std::optional<JsonCharacters>& last) const {
    std::optional<JsonText> result;
    JsonCharacters least;
    JsonText json = *metadata_;
    json.take('{');
    JsonText empty = json;
    for (bool more = !empty.take('}'); more; more = json.take(',')) {
      const JsonText place = json;
      JsonCharacters key;
      JsonCharacters ignored;
      json.string(key);
      json.take(':');
      json.string(ignored);
      if ((!last || is_less(*last, key)) && (!result || is_less(key, least))) {
        result = place;
        least = key;
      }
    }
    return result;
  }

  static bool is_less(JsonCharacters left, JsonCharacters right) {
    int a = 0;
    int b = 0;
    do {
      a = left.next();
      b = right.next();
    } while (a == b && a >= 0);
    return a < b;
  }

  static constexpr std::string_view checksum_key = "retort.checksum";

  const ExpectedWeights& expected_;
  std::span<const std::byte> file_;
  std::span<const std::byte*> places_;
  Message& message_;
  std::string_view header_;
  std::span<const std::byte> data_;
  std::optional<JsonText> metadata_;
  std::optional<JsonCharacters> signature_;
  std::optional<JsonCharacters> checksum_;
  std::optional<JsonCharacters> preprocessing_;
  std::optional<JsonCharacters> example_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
