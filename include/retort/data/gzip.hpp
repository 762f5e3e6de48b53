// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Whole files, plain or compressed by gzip (RFC 1952), through zlib.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retort/core/error.hpp"
#include "retort/core/file_descriptor.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/out_of_memory.hpp"
#include "retort/core/size.hpp"
#include "retort/core/text.hpp"
#include "retort/data/message.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::data {

/// The most bytes that a reader takes from one file, after decompression, by default: 4 GiB.
inline constexpr std::uint64_t default_size_limit = std::uint64_t{1} << 32;

/// How many times its own size a compressed file may unpack to, by default. Images and tables shrink to between a half
/// and a thirtieth; a file that gzip packs a thousand to one is hardly data.
inline constexpr std::uint64_t default_expansion_limit = 100;

/// A compressed file may always unpack to this size, 64 MiB: sorted labels and empty images are small, and shrink a
/// lot.
inline constexpr std::uint64_t always_unpacked = std::uint64_t{1} << 26;

namespace detail {

[[noreturn, gnu::cold]] inline void fail_size_limit(const std::filesystem::path& path, std::uint64_t limit) {
  throw FormatError(path, concatenate({"holds more than the size limit of ", limit, " bytes"}));
}

// A buffer for about an expected number of bytes, which at most doubles if there are more.
class GrowingBytes {
 public:
  // Throws FormatError if more bytes than the limit are expected.
  GrowingBytes(const std::filesystem::path& path, std::uint64_t limit, std::uint64_t expected)
      : path_(path), limit_(limit) {
    if (expected > limit) {
      fail_size_limit(path, limit);
    }
    const std::size_t size = to_size(expected + 1);  // one more, to see the end
    allocate_for(path_.native(), size, [&] { bytes_.resize(size); });
  }

  // Makes room for at least one more byte.
  std::uint8_t* room() {
    if (used_ == bytes_.size()) {
      // One byte over the limit is room enough to find out that the file passes the limit.
      const std::uint64_t most = limit_ < std::numeric_limits<std::uint64_t>::max() ? limit_ + 1 : limit_;
      const std::size_t size = to_size(std::min<std::uint64_t>(most, std::max<std::size_t>(2 * used_, 1 << 16)));
      allocate_for(path_.native(), size, [&] { bytes_.resize(size); });
    }
    return bytes_.data() + used_;
  }
  std::size_t room_size() const { return bytes_.size() - used_; }

  void add(std::size_t count) {
    used_ += count;
    if (used_ > limit_) {
      fail_size_limit(path_, limit_);
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
  const internal::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    internal::throw_file_error(path, "cannot be read");
  }
  struct stat status{};
  const bool has_size = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  GrowingBytes bytes(path, limit, has_size ? static_cast<std::uint64_t>(status.st_size) : 0);
  for (;;) {
    std::uint8_t* room = bytes.room();
    const ssize_t got = ::read(file.get(), room, bytes.room_size());
    if (got == 0) {
      return bytes.take();
    }
    if (got > 0) {
      bytes.add(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      internal::throw_file_error(path, "cannot be read");
    }
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
      throw OutOfMemoryError(path_.native(), 0);  // nothing else can make it fail
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  // Unpacks `compressed`; counts and drops what does not fit into `output`. Returns how many bytes there are, or some
  // number above `limit` if there are more than that.
  std::uint64_t run(const std::vector<std::uint8_t>& compressed, std::span<std::uint8_t> output, std::uint64_t limit) {
    std::array<std::uint8_t, 1 << 15> dropped;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t position = 0;
    for (std::uint64_t total = 0; total <= limit;) {
      constexpr std::size_t most = std::size_t{1} << 30;  // zlib counts in 32 bits
      const std::size_t given = std::min(compressed.size() - position, most);
      const std::span<std::uint8_t> room =
          total < output.size() ? output.subspan(to_size(total)) : std::span<std::uint8_t>(dropped);
      stream_.next_in = const_cast<Bytef*>(compressed.data() + position);  // zlib does not write there
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = room.data();
      const std::size_t taken = std::min(room.size(), most);
      stream_.avail_out = static_cast<uInt>(taken);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      position += given - stream_.avail_in;
      total += taken - stream_.avail_out;
      if (status == Z_STREAM_END) {
        if (position == compressed.size() || total > limit) {
          return total;
        }
        begin_member(compressed, position);
      } else if (status == Z_BUF_ERROR || (status == Z_OK && position == compressed.size() && stream_.avail_out != 0)) {
        throw FormatError(path_, concatenate({"gzip stream is truncated after ", compressed.size(), " bytes"}));
      } else if (status == Z_MEM_ERROR) {
        throw OutOfMemoryError(path_.native(), 0);
      } else if (status != Z_OK) {
        fail(position);
      }
    }
    return limit + 1;
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

// Memory: the result. A file's last four bytes promise its size (modulo 2^32, and that of its last member); if that is
// not the true size, the bytes are counted before memory is taken.
inline std::vector<std::uint8_t> unpack_gzip(const std::filesystem::path& path,
                                             const std::vector<std::uint8_t>& compressed, std::uint64_t size_limit,
                                             std::uint64_t expansion_limit) {
  constexpr std::uint64_t most_by_deflate = 1032;  // zlib's own bound of what a byte can become
  const std::uint64_t size = compressed.size();
  const std::uint64_t by_expansion =
      std::max(always_unpacked,
               size > size_limit / std::max<std::uint64_t>(expansion_limit, 1) ? size_limit : size * expansion_limit);
  const std::uint64_t limit = std::min(size_limit, by_expansion);
  std::uint64_t promised = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, compressed.size()); ++i) {
    promised = promised << 8 | compressed[compressed.size() - 1 - i];
  }
  // Does not trust a promise beyond the limits: the file may be cut short.
  std::vector<std::uint8_t> output;
  const auto resize = [&](std::uint64_t bytes) {
    allocate_for(path.native(), to_size(bytes), [&] { output.resize(to_size(bytes)); });
  };
  resize(promised <= std::min(limit, size * most_by_deflate) ? promised : 0);
  const std::uint64_t total = Inflater(path).run(compressed, output, limit);
  if (total > limit) {
    if (limit == size_limit) {
      fail_size_limit(path, limit);
    }
    throw FormatError(
        path, concatenate({"unpacks to more than ", limit, " bytes, expected at most ", expansion_limit, " times its ",
                           size, " compressed bytes (raise expansion_limit if it is meant to)"}));
  }
  if (total > output.size()) {
    std::vector<std::uint8_t>().swap(output);  // frees the old memory before it takes the new
    resize(total);
    Inflater(path).run(compressed, output, limit);
  }
  output.resize(to_size(total));
  return output;
}

// Throws FormatError for archives and packed files that users often pass as data.
[[gnu::cold]] inline void require_no_archive(const std::filesystem::path& path,
                                             const std::vector<std::uint8_t>& bytes) {
  struct Signature {
    std::string_view bytes;
    std::string_view name;
    std::string_view cure;
  };
  constexpr std::string_view unpack = "unpack it, and give the file inside";
  constexpr Signature signatures[] = {
      {"PK\x03\x04", "a ZIP archive, as .npz and .xlsx files are too", unpack},
      {{"\xFD"
        "7zXZ\0",
        6},
       "packed by xz",
       "unpack it with xz -d"},
      {"\x28\xB5\x2F\xFD", "packed by zstd", "unpack it with zstd -d"},
      {"\x89HDF\r\n\x1A\n", "an HDF5 file", "save its arrays as .npy"},
      {"PAR1", "a Parquet file", "save it as CSV"},
  };
  for (const Signature& signature : signatures) {
    if (bytes.size() >= signature.bytes.size() &&
        std::memcmp(bytes.data(), signature.bytes.data(), signature.bytes.size()) == 0) {
      throw FormatError(path, concatenate({"is ", signature.name, ", which is not read: ", signature.cure}));
    }
  }
}

}  // namespace detail

/// All bytes of the file, decompressed if it begins with gzip's magic bytes 1f 8b, whatever its name. Throws FileError
/// if it cannot be opened or read (missing, a folder, no permission); FormatError if it is named .gz but is no gzip
/// file, or its gzip stream is truncated, corrupt, fails its checksum or is followed by other bytes; if it holds more
/// than `size_limit` bytes, compressed or not, or unpacks to more than `expansion_limit` times its size and than
/// `always_unpacked`; and if it is an archive of another kind (ZIP, xz, zstd, HDF5, Parquet), which it names. Memory:
/// the file and its unpacked bytes, never more than the limits, which are checked before it is taken.
[[gnu::cold]] inline std::vector<std::uint8_t> read_plain_or_gzip(
    const std::filesystem::path& path, std::uint64_t size_limit = default_size_limit,
    std::uint64_t expansion_limit = default_expansion_limit) {
  std::vector<std::uint8_t> bytes = detail::read_bytes(path, size_limit);
  if (detail::has_gzip_magic(bytes.data(), bytes.size())) {
    bytes = detail::unpack_gzip(path, bytes, size_limit, expansion_limit);
  } else if (path.extension() == ".gz") {
    std::string found = bytes.empty() ? " no bytes" : "";
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 2); ++i) {
      found += concatenate({" ", detail::hex_text(bytes[i])});
    }
    throw FormatError(path, concatenate({"not a gzip file: begins with", found, ", expected 0x1f 0x8b"}));
  }
  detail::require_no_archive(path, bytes);
  return bytes;
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET::data
