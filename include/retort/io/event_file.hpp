// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Event files: numbers by name and step, as TensorBoard reads them.
///
/// A file is a sequence of records (TFRecord, tensorflow/core/lib/io/record_writer.h): the size of the data as 8 bytes,
/// its masked checksum, the data, their masked checksum, all little-endian. The data are an Event
/// (tensorflow/core/util/event.proto) with a Summary (tensorflow/core/framework/summary.proto), encoded as Protocol
/// Buffers are (https://protobuf.dev/programming-guides/encoding).

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "retort/core/append_file.hpp"
#include "retort/core/float_bits.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::io {

namespace detail {

/// What each byte adds to a CRC-32C.
inline constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) {
      rest = rest >> 1 ^ (rest & 1u) * 0x82F63B78u;  // Castagnoli's polynomial, its bits reversed
    }
    table[byte] = rest;
  }
  return table;
}();

/// CRC-32C (RFC 3720, 12.1), a byte at a time by a table of the library's own: zlib has CRC-32 alone, which is of
/// another polynomial.
[[gnu::cold]] inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t rest = ~0u;
  for (const char byte : bytes) {
    rest = rest >> 8 ^ crc32c_table[(rest ^ static_cast<unsigned char>(byte)) & 0xFFu];
  }
  return ~rest;
}

[[gnu::cold]] inline void add_little_endian(std::string& bytes, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    bytes += static_cast<char>(value >> 8 * i & 0xFFu);
  }
}

[[gnu::cold]] inline void add_masked_crc32c(std::string& bytes, std::string_view data) {
  const std::uint32_t crc = crc32c(data);
  add_little_endian(bytes, (crc >> 15 | crc << 17) + 0xA282EAD8u, 4);
}

[[gnu::cold]] inline std::string make_record(std::string_view data) {
  std::string record;
  add_little_endian(record, data.size(), 8);
  add_masked_crc32c(record, record);
  record += data;
  add_masked_crc32c(record, data);
  return record;
}

/// A message of Protocol Buffers, built field by field. Numbers of fields are below 16, so that a key is one byte.
class Message {
 public:
  Message& add_varint(unsigned field, std::uint64_t value) {
    add_key(field, 0);
    return append_varint(value);
  }
  Message& add(unsigned field, double value) {
    add_key(field, 1);
    add_little_endian(bytes_, internal::bits_of(value), 8);
    return *this;
  }
  Message& add(unsigned field, std::string_view bytes) {
    add_key(field, 2);
    append_varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  Message& add(unsigned field, float value) {
    add_key(field, 5);
    add_little_endian(bytes_, internal::bits_of(value), 4);
    return *this;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void add_key(unsigned field, unsigned wire_type) { bytes_ += static_cast<char>(field << 3 | wire_type); }

  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  Message& append_varint(std::uint64_t value) {
    for (; value >= 0x80u; value >>= 7) {
      bytes_ += static_cast<char>((value & 0x7Fu) | 0x80u);
    }
    bytes_ += static_cast<char>(value);
    return *this;
  }

  std::string bytes_;
};

/// The record of an Event whose field `what`, one of the numbers in event.proto, is `value`.
[[gnu::cold]] inline std::string make_event(double time, std::uint64_t step, unsigned what, std::string_view value) {
  return make_record(Message{}.add(1, time).add_varint(2, step).add(what, value).bytes());
}

/// A name that sorts behind those of the event files in `folder`: they are read in the order of their names.
[[gnu::cold]] inline std::filesystem::path new_event_file(const std::filesystem::path& folder) {
  constexpr std::string_view prefix = "events.out.tfevents.";
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto seconds = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::uint64_t other = 0;
    if (name.starts_with(prefix)) {
      std::from_chars(name.data() + prefix.size(), name.data() + name.size(), other);
      seconds = std::max(seconds, other + 1);
    }
  }
  std::string digits = to_text(seconds);
  digits.insert(0, 10 - std::min<std::size_t>(digits.size(), 10), '0');
  return folder / concatenate({prefix, digits, ".retort.", ::getpid()});
}

}  // namespace detail

/// A number of a step.
struct Scalar {
  std::string name;  ///< "loss/training": TensorBoard shows names with the same beginning side by side
  double value = 0.0;
};

/// An event file that is written record by record. Each is handed to the system in one piece, and so survives the end
/// of the process; it is not flushed to the disk.
class EventFile {
 public:
  /// Makes a new file in `folder`, which must exist. It begins with the mark of a restart at `first_step`: of what
  /// older files there say, TensorBoard keeps the steps before it. Throws FileError.
  [[gnu::cold]] EventFile(const std::filesystem::path& folder, std::uint64_t first_step)
      : file_(detail::new_event_file(folder)) {
    const auto start = detail::Message{}.add_varint(1, 1);  // a SessionLog whose status is START
    const double time = now();
    file_.append(detail::make_event(time, first_step, 3, "brain.Event:2") +
                 detail::make_event(time, first_step, 7, start.bytes()));
  }

  /// Appends the numbers of a step, rounded to float. `time`: in seconds since 1970. Throws FileError; nothing of them
  /// is in the file then.
  [[gnu::cold]] void write(double time, std::uint64_t step, std::span<const Scalar> scalars) {
    detail::Message summary;
    for (const Scalar& scalar : scalars) {
      summary.add(1, detail::Message{}.add(1, scalar.name).add(2, static_cast<float>(scalar.value)).bytes());
    }
    file_.append(detail::make_event(time, step, 5, summary.bytes()));
  }

  /// Seconds since 1970.
  static double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  }

 private:
  internal::AppendFile file_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::io
