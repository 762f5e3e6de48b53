// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whole files, plain or compressed by gzip (RFC 1952), through zlib.

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The most bytes a reader takes from one file, after decompression, unless it is told otherwise: 4 GiB.
inline constexpr std::uint64_t default_size_limit = std::uint64_t{1} << 32;

namespace detail {

class ReadDescriptor {
 public:
  explicit ReadDescriptor(const std::filesystem::path& path)
      : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) {
      fail();
    }
  }
  ReadDescriptor(const ReadDescriptor&) = delete;
  ReadDescriptor& operator=(const ReadDescriptor&) = delete;
  ~ReadDescriptor() { ::close(descriptor_); }

  // 0 at the end of the file.
  std::size_t read(std::uint8_t* output, std::size_t count) const {
    for (;;) {
      const ssize_t got = ::read(descriptor_, output, count);
      if (got >= 0) {
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) {
        fail();
      }
    }
  }

 private:
  [[noreturn]] void fail() const {
    const int reason = errno;
    throw FileError(path_, concatenate({"cannot be read (", std::generic_category().message(reason), ")"}));
  }

  const std::filesystem::path& path_;
  int descriptor_;
};

// Bytes of unknown number, in memory that at most doubles, so that a false promise in a header costs nothing.
class GrowingBytes {
 public:
  GrowingBytes(const std::filesystem::path& path, std::uint64_t limit) : path_(path), limit_(limit) {}

  // Room for at least one byte more.
  std::uint8_t* room() {
    if (used_ == bytes_.size()) {
      // One byte over the limit is room enough to find out that the limit is passed.
      const std::uint64_t most = limit_ < std::numeric_limits<std::uint64_t>::max() ? limit_ + 1 : limit_;
      bytes_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(most, std::max<std::size_t>(2 * used_, 1 << 16))));
    }
    return bytes_.data() + used_;
  }
  std::size_t room_size() const { return bytes_.size() - used_; }

  void add(std::size_t count) {
    used_ += count;
    if (used_ > limit_) {
      throw FormatError(path_, concatenate({"holds more than the size limit of ", limit_, " bytes"}));
    }
  }

  std::vector<std::uint8_t> take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  const std::filesystem::path& path_;
  std::uint64_t limit_;
  std::vector<std::uint8_t> bytes_;
  std::size_t used_ = 0;
};

inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::uint64_t limit) {
  const ReadDescriptor file(path);
  GrowingBytes bytes(path, limit);
  for (;;) {
    std::uint8_t* room = bytes.room();
    const std::size_t got = file.read(room, bytes.room_size());
    if (got == 0) {
      return bytes.take();
    }
    bytes.add(got);
  }
}

inline bool has_gzip_magic(const std::uint8_t* bytes, std::size_t size) {
  return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

class Inflater {
 public:
  explicit Inflater(const std::filesystem::path& path) : path_(path) {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) {
      throw FileError(path_, "cannot be decompressed (zlib found no memory)");
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  std::vector<std::uint8_t> inflate_all(const std::vector<std::uint8_t>& compressed, std::uint64_t limit) {
    GrowingBytes output(path_, limit);
    std::size_t position = 0;
    for (;;) {
      constexpr std::size_t most = std::size_t{1} << 30;  // zlib counts in 32 bits
      const std::size_t given = std::min(compressed.size() - position, most);
      stream_.next_in = const_cast<Bytef*>(compressed.data() + position);  // zlib does not write there
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = output.room();
      const std::size_t room = std::min(output.room_size(), most);
      stream_.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      position += given - stream_.avail_in;
      output.add(room - stream_.avail_out);
      if (status == Z_STREAM_END) {
        if (position == compressed.size()) {
          return output.take();
        }
        begin_member(compressed, position);
      } else if (status == Z_BUF_ERROR || (status == Z_OK && position == compressed.size() && stream_.avail_out != 0)) {
        throw FormatError(path_, concatenate({"gzip stream is truncated after ", compressed.size(), " bytes"}));
      } else if (status != Z_OK) {
        fail(position);
      }
    }
  }

 private:
  // RFC 1952, section 2.2: a file is a series of members.
  void begin_member(const std::vector<std::uint8_t>& compressed, std::size_t position) {
    const std::size_t rest = compressed.size() - position;
    if (!has_gzip_magic(compressed.data() + position, rest)) {
      throw FormatError(path_, concatenate({"bytes after the end of the gzip stream: ", rest, ", expected none"}));
    }
    inflateReset(&stream_);
  }

  [[noreturn]] void fail(std::size_t position) const {
    const std::string_view reason = stream_.msg != nullptr ? stream_.msg : "unknown reason";
    if (reason == "incorrect data check") {
      throw FormatError(path_, "gzip checksum (CRC-32) does not match the decompressed data");
    }
    if (reason == "incorrect length check") {
      throw FormatError(path_, "gzip length does not match the decompressed data");
    }
    throw FormatError(path_, concatenate({"gzip stream is corrupt near byte ", position, " (", reason, ")"}));
  }

  const std::filesystem::path& path_;
  z_stream stream_{};
};

}  // namespace detail

/// All bytes of the file, decompressed where it begins with gzip's magic bytes 1f 8b, whatever its name. Throws
/// FileError when it cannot be opened or read (missing, a folder, no permission); FormatError when it is named .gz but
/// is no gzip file, or its gzip stream is truncated, corrupt, fails its checksum or is followed by other bytes, or when
/// it holds more than `size_limit` bytes, compressed or not. Memory stays within about three times the limit.
[[gnu::cold]] inline std::vector<std::uint8_t> read_plain_or_gzip(const std::filesystem::path& path,
                                                                  std::uint64_t size_limit = default_size_limit) {
  std::vector<std::uint8_t> bytes = detail::read_bytes(path, size_limit);
  if (detail::has_gzip_magic(bytes.data(), bytes.size())) {
    return detail::Inflater(path).inflate_all(bytes, size_limit);
  }
  if (path.extension() == ".gz") {
    std::string found = bytes.empty() ? " no bytes" : "";
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 2); ++i) {
      found += concatenate({" ", detail::hex_text(bytes[i])});
    }
    throw FormatError(path, concatenate({"not a gzip file: begins with", found, ", expected 0x1f 0x8b"}));
  }
  return bytes;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
