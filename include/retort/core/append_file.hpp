// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A file that grows at its end (POSIX).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "retort/core/file_descriptor.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// An open file that is read from its beginning and written at its end; it is made if there is none. Each write is
/// handed to the system at once, and so survives the end of the process; it is not flushed to the disk. Links are
/// followed. A file that is not regular (/dev/null, a FIFO) is only written to.
class AppendFile {
 public:
  /// Throws FileError naming `path` when its folder is missing or it cannot be written.
  [[gnu::cold]] explicit AppendFile(std::filesystem::path path) : path_(std::move(path)) {
    struct stat facts{};
    const bool special = ::stat(path_.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode);
    const int flags = (special ? O_WRONLY : O_RDWR | O_CREAT) | O_APPEND | O_NOCTTY | O_CLOEXEC;
    descriptor_ = FileDescriptor(::open(path_.c_str(), flags, 0666));
    if (!descriptor_ || ::fstat(descriptor_.get(), &facts) != 0) {
      throw_file_error(path_, "cannot be written");
    }
    regular_ = S_ISREG(facts.st_mode);
    size_ = regular_ ? static_cast<std::uint64_t>(facts.st_size) : 0;
  }

  /// Whether the file holds `text` from `position` on. Throws FileError.
  [[gnu::cold]] bool holds(std::uint64_t position, std::string_view text) const {
    std::string found(regular_ ? text.size() : 0, '\0');
    for (std::size_t filled = 0; filled < found.size();) {
      const ssize_t count = ::pread(descriptor_.get(), found.data() + filled, found.size() - filled,
                                    static_cast<off_t>(position + filled));
      if (count < 0 && errno != EINTR) {
        throw_file_error(path_, "cannot be read");
      }
      if (count == 0) {
        return false;
      }
      filled += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    return found == text;
  }

  /// Cuts off what comes after the first `size` bytes. Throws FileError.
  [[gnu::cold]] void truncate(std::uint64_t size) {
    if (regular_ && size < size_) {
      if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) {
        throw_file_error(path_, "cannot be cut");
      }
      size_ = size;
    }
  }

  /// Writes `text` at the end. Throws FileError (a full disk, a quota); then none of it is in the file.
  [[gnu::cold]] void append(std::string_view text) {
    if (!descriptor_.write(std::as_bytes(std::span{text}))) {
      const int reason = errno;
      if (regular_) {
        static_cast<void>(!::ftruncate(descriptor_.get(), static_cast<off_t>(size_)));
      }
      throw_file_error(path_, "cannot be written", reason);
    }
    size_ += text.size();
  }

 private:
  std::filesystem::path path_;
  FileDescriptor descriptor_;
  bool regular_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
