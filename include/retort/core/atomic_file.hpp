// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Files that are written whole or not at all (POSIX).

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A file written as PATH.tmp, beside its destination. `commit()` flushes it to the disk and renames it over the
/// destination; without `commit()` the destructor removes it, so that a fault or a full disk leaves the old file as it
/// was and no other behind. A process killed while writing leaves PATH.tmp, which the next writer of PATH replaces. One
/// writer of a path at a time. Where PATH is a symbolic link, the link is replaced, not the file it points to.
class AtomicFile {
 public:
  /// Throws FileError naming `path` when its folder is missing or not writable.
  [[gnu::cold]] explicit AtomicFile(std::filesystem::path path)
      : path_(std::move(path)), temporary_(path_.string() + ".tmp") {
    // What lies under the temporary name is removed, never opened: it may be a link to a file that is none of ours.
    ::unlink(temporary_.c_str());
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      fail("cannot be written");
    }
  }

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  ~AtomicFile() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(temporary_.c_str());
    }
  }

  /// Appends `bytes`. Throws FileError (a full disk, a quota).
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), largest_write));
      if (written < 0) {
        if (errno == EINTR) {
          continue;
        }
        fail("cannot be written");
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void write(std::string_view text) { write(std::as_bytes(std::span{text.data(), text.size()})); }

  /// Flushes the bytes, renames the file, flushes the name. Throws FileError; the old file is then as it was. Call
  /// once, last.
  [[gnu::cold]] void commit() {
    if (::fsync(descriptor_) != 0) {
      fail("cannot be flushed to the disk");
    }
    const int descriptor = std::exchange(descriptor_, -1);
    if (::close(descriptor) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
      const int reason = errno;
      ::unlink(temporary_.c_str());
      errno = reason;
      fail("cannot be replaced");
    }
    flush_folder();
  }

 private:
  // Some systems refuse a single write of 2 GiB or more.
  static constexpr std::size_t largest_write = std::size_t{1} << 30;

  [[noreturn]] void fail(const char* what) const {
    const int reason = errno;
    throw FileError(path_, concatenate({what, " (", std::generic_category().message(reason), ")"}));
  }

  // A rename survives a power cut only once its folder is flushed; file systems that cannot do so are let be.
  void flush_folder() const {
    const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
      ::fsync(descriptor);
      ::close(descriptor);
    }
  }

  std::filesystem::path path_;
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET
