// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Files that are written whole or not at all, and their folders (POSIX).

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "retort/core/file_descriptor.hpp"
#include "retort/core/fingerprint.hpp"
#include "retort/core/instruction_set.hpp"

namespace retort::inline RETORT_INSTRUCTION_SET {

/// A file written under a temporary name of its own, NAME.retort-XXXXXX.tmp, in the destination's folder. `commit()`
/// flushes it to the disk and renames it over the destination; without `commit()` the destructor removes it, so that a
/// fault or a full disk leaves the old file as it was and no other behind. Any number of writers may write one path: a
/// reader sees the whole file of one of them, in the end of the one that commits last.
///
/// A symbolic link is followed: the file that it points to is replaced, and the link stays. A file that is replaced
/// keeps its permissions, and its owner and group where the system allows it. A destination that is not a regular file
/// (/dev/null, a FIFO, a device) is never replaced: it is opened and written to directly, and nothing is undone.
///
/// A process killed while it writes leaves its temporary file, which `remove_abandoned_files` finds.
class AtomicFile {
 public:
  /// Throws FileError naming `path` when its folder is missing or not writable, or `path` is a folder. Opening a FIFO
  /// waits for its reader.
  [[gnu::cold]] explicit AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    struct stat existing{};
    const bool exists = ::stat(path_.c_str(), &existing) == 0;
    if (exists && S_ISDIR(existing.st_mode)) {
      internal::throw_file_error(path_, "cannot be replaced", EISDIR);
    }
    if (exists && !S_ISREG(existing.st_mode)) {
      descriptor_ = internal::FileDescriptor(::open(path_.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
      if (!descriptor_) {
        internal::throw_file_error(path_, "cannot be written");
      }
      return;
    }
    destination_ = follow_links(path_);
    if (!destination_.has_filename()) {
      internal::throw_file_error(path_, "cannot be written", ENOENT);
    }
    open_temporary(exists ? &existing : nullptr);
  }

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  ~AtomicFile() {
    if (descriptor_) {
      remove_temporary();  // before it is closed: an open one is not taken for abandoned
    }
  }

  /// Appends `bytes`. Throws FileError (a full disk, a quota).
  void write(std::span<const std::byte> bytes) {
    if (!descriptor_.write(bytes)) {
      internal::throw_file_error(path_, "cannot be written");
    }
  }

  void write(std::string_view text) { write(std::as_bytes(std::span{text.data(), text.size()})); }

  /// Flushes the bytes, renames the file, flushes the name. Ignores file systems that cannot flush (some of CIFS and
  /// FUSE). Throws FileError; the old file is then as it was. Call once, last.
  [[gnu::cold]] void commit() {
    if (::fsync(descriptor_.get()) != 0 && !is_unsupported(errno)) {
      internal::throw_file_error(path_, "cannot be flushed to the disk");
    }
    // After the flush nothing is left to write: the result of close() says nothing about the bytes.
    const internal::FileDescriptor descriptor = std::move(descriptor_);
    if (!temporary_.empty() && ::rename(temporary_.c_str(), destination_.c_str()) != 0) {
      const int reason = errno;
      remove_temporary();
      internal::throw_file_error(path_, "cannot be replaced", reason);
    }
    flush_folder();
  }

  /// Whether `name` has the form of a temporary file's name.
  static bool is_temporary_name(std::string_view name) {
    if (name.size() <= prefix.size() + random_letters + suffix.size() || !name.ends_with(suffix)) {
      return false;
    }
    name.remove_suffix(suffix.size() + random_letters);
    return name.ends_with(prefix);
  }

 private:
  // NAME.retort-XXXXXX.tmp
  static constexpr std::string_view prefix = ".retort-";
  static constexpr std::string_view suffix = ".tmp";
  static constexpr std::size_t random_letters = 6;
  static constexpr std::size_t longest_name = 255;  // NAME_MAX of nearly all file systems
  static constexpr int most_links = 40;             // Linux follows as many
  static constexpr int most_attempts = 100;

  static bool is_unsupported(int reason) {
    return reason == EINVAL || reason == ENOSYS || reason == ENOTSUP || reason == EOPNOTSUPP;
  }

  /// The place that links lead to, which may not exist yet.
  std::filesystem::path follow_links(std::filesystem::path place) const {
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(place, error)); ++links) {
      const std::filesystem::path target = std::filesystem::read_symlink(place, error);
      if (error || links == most_links) {
        internal::throw_file_error(path_, "cannot be written", error ? error.value() : ELOOP);
      }
      place = place.parent_path() / target;
    }
    return place;
  }

  std::filesystem::path folder() const {
    return destination_.has_parent_path() ? destination_.parent_path() : std::filesystem::path{"."};
  }

  std::string draw_name() const {
    static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::string name = destination_.filename().string();
    name.resize(std::min(name.size(), longest_name - prefix.size() - random_letters - suffix.size()));
    name += prefix;
    // Other threads, processes and machines draw other letters; where two agree, O_EXCL makes one draw again.
    static std::atomic<std::uint64_t> drawn{0};
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::uint64_t entropy[] = {drawn.fetch_add(1, std::memory_order_relaxed),
                                     static_cast<std::uint64_t>(::getpid()), static_cast<std::uint64_t>(now.tv_sec),
                                     static_cast<std::uint64_t>(now.tv_nsec)};
    std::uint64_t number = Fingerprint{}.add(std::span<const std::uint64_t>{entropy}).value();
    for (std::size_t i = 0; i < random_letters; ++i) {
      name += letters[number % letters.size()];
      number /= letters.size();
    }
    return (folder() / name.append(suffix)).string();
  }

  void open_temporary(const struct stat* existing) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      temporary_ = draw_name();
      // Only its owner may read a secret file's copy, at any moment.
      const mode_t mode = existing != nullptr ? 0600 : 0666;
      internal::FileDescriptor opened(
          ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
      if (!opened) {
        if (errno == EEXIST) {
          continue;
        }
        internal::throw_file_error(path_, "cannot be written");
      }
      // The lock shows that the file is not abandoned. A process that cleans up may have been faster: then the file is
      // about to lose its name, or has lost it.
      struct stat mine{};
      const bool taken = ::flock(opened.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
      if (taken || (::fstat(opened.get(), &mine) == 0 && mine.st_nlink == 0)) {
        continue;
      }
      descriptor_ = std::move(opened);
      if (existing != nullptr) {
        keep_permissions(*existing);
      }
      return;
    }
    internal::throw_file_error(path_, "cannot be written");
  }

  void keep_permissions(const struct stat& existing) const {
    mode_t mode = existing.st_mode & 0777;
    // Only the superuser may give a file away; members may keep its group.
    if (::fchown(descriptor_.get(), existing.st_uid, existing.st_gid) != 0 &&
        ::fchown(descriptor_.get(), static_cast<uid_t>(-1), existing.st_gid) != 0) {
      mode &= ~(~mode << 3 & 070u);  // another group gets no more than everybody
    }
    ::fchmod(descriptor_.get(), mode);  // ignores file systems without permissions
  }

  void remove_temporary() {
    if (!temporary_.empty()) {
      ::unlink(temporary_.c_str());
    }
  }

  // A rename survives a power cut only once its folder is flushed. Ignores file systems that cannot do so.
  void flush_folder() const {
    if (temporary_.empty()) {
      return;
    }
    if (const internal::FileDescriptor opened(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); opened) {
      ::fsync(opened.get());
    }
  }

  std::filesystem::path path_;         // as given, for messages
  std::filesystem::path destination_;  // the regular file, behind all links
  std::string temporary_;              // empty where the destination is written to directly
  internal::FileDescriptor descriptor_;
};

/// Throws FileError, as a later AtomicFile of `path` would, where it cannot be written now. Leaves nothing behind and
/// changes nothing. Call before hours of work whose result is to be written there.
[[gnu::cold]] inline void require_writable(const std::filesystem::path& path) {
  struct stat existing{};
  if (::stat(path.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode) && !S_ISDIR(existing.st_mode)) {
    // Not opened: that would wait for a FIFO's reader, or be seen by it.
    if (::access(path.c_str(), W_OK) != 0) {
      internal::throw_file_error(path, "cannot be written");
    }
    return;
  }
  const AtomicFile never_committed(path);
}

/// Makes `folder`, and those above it, where they are missing. Throws FileError.
[[gnu::cold]] inline void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    internal::throw_file_error(folder, "cannot be made", error.value());
  }
}

/// Removes from `folder` the temporary files of AtomicFile whose writers were killed. Leaves alone those that a process
/// is writing now: it holds them locked (flock). Files that cannot be read or removed stay. Subfolders are not entered.
[[gnu::cold]] inline void remove_abandoned_files(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (!AtomicFile::is_temporary_name(path.filename().string())) {
      continue;
    }
    const internal::FileDescriptor file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat opened{};
    struct stat named{};
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file.get(), &opened) == 0 &&
        S_ISREG(opened.st_mode) && ::lstat(path.c_str(), &named) == 0 && named.st_ino == opened.st_ino &&
        named.st_dev == opened.st_dev) {
      ::unlink(path.c_str());
    }
  }
}

}  // namespace retort::inline RETORT_INSTRUCTION_SET
