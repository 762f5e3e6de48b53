// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The system's open files (POSIX), and errors that say why it refused one.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "retort/core/error.hpp"
#include "retort/core/instruction_set.hpp"
#include "retort/core/text.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET::internal {

/// Throws FileError: "PATH: cannot be read (Permission denied)".
[[noreturn, gnu::cold, gnu::noinline]] inline void throw_file_error(const std::filesystem::path& path,
                                                                    std::string_view what, int reason = errno) {
  throw FileError(path, concatenate({what, " (", std::generic_category().message(reason), ")"}));
}

/// Owns the result of ::open and closes it; may be empty.
class FileDescriptor {
 public:
  explicit FileDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

  /// Writes all of `bytes`. If that fails (a full disk, a quota), returns false and leaves the reason in errno.
  bool write(std::span<const std::byte> bytes) const {
    constexpr std::size_t largest = std::size_t{1} << 30;  // some systems refuse a single write of 2 GiB or more
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), largest));
      if (written < 0 && errno != EINTR) {
        return false;
      }
      bytes = bytes.subspan(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return true;
  }

 private:
  int descriptor_;
};

}  // namespace retort::inline RETORT_INSTRUCTION_SET::internal
