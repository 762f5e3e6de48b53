// SPDX-License-Identifier: MIT
#include "common/output_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "retort/core/atomic_file.hpp"
#include "retort/core/error.hpp"
#include "retort/core/text.hpp"

namespace examples {

namespace {

constexpr const char* lock_name = ".retort-lock";

std::string reason_text(int reason) { return std::generic_category().message(reason); }

/// "process 4711 on host lab, since 2026-05-04 03:02:01 UTC".
std::string describe_this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) {
    host[0] = '?';
  }
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 64> time{};
  if (::gmtime_r(&now, &parts) != nullptr) {
    std::strftime(time.data(), time.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  }
  return retort::concatenate({"process ", ::getpid(), " on host ", host.data(), ", since ", time.data()});
}

/// What the holder wrote, as far as it is printable: another program may have written the file.
std::string read_holder(int descriptor) {
  std::array<char, 400> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  std::erase_if(holder, [](char letter) { return letter < ' ' || letter > '~'; });
  return holder.empty() ? "another process" : holder;
}

}  // namespace

OutputFolder::OutputFolder(std::filesystem::path folder, const std::vector<std::string>& inner_folders)
    : folder_(std::move(folder)) {
  retort::make_folder(folder_);
  lock();
  try {
    retort::remove_abandoned_files(folder_);
    for (const std::string& inner : inner_folders) {
      retort::make_folder(folder_ / inner);
      retort::remove_abandoned_files(folder_ / inner);
    }
  } catch (...) {
    unlock();
    throw;
  }
}

OutputFolder::~OutputFolder() { unlock(); }

void OutputFolder::lock() {
  const std::filesystem::path path = folder_ / lock_name;
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) {
      throw retort::FileError(folder_, "cannot be written to (" + reason_text(errno) + ")");
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      const std::string holder = read_holder(descriptor);
      ::close(descriptor);
      if (reason == EWOULDBLOCK) {
        throw retort::FileError(folder_, "in use by " + holder + "; wait for it, or name another folder with --out");
      }
      std::fprintf(stderr, "%s: cannot be locked here (%s): let no second run write to it\n",
                   retort::path_text(folder_).c_str(), reason_text(reason).c_str());
      return;
    }
    // Between open and flock the holder may have ended and removed the file: then the lock is on nothing.
    struct stat opened{};
    struct stat named{};
    if (::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev) {
      descriptor_ = descriptor;
      break;
    }
    ::close(descriptor);
  }
  const std::string text = describe_this_process() + "\n";
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int reason = errno;
    unlock();
    throw retort::FileError(path, "cannot be written (" + reason_text(reason) + ")");
  }
}

void OutputFolder::unlock() {
  if (descriptor_ >= 0) {
    ::unlink((folder_ / lock_name).c_str());  // before the lock ends
    ::close(std::exchange(descriptor_, -1));
  }
}

void OutputFolder::take_over(const std::vector<std::filesystem::path>& replaced,
                             const std::vector<std::filesystem::path>& cleared,
                             const Continuation& continuation) const {
  if (continuation.resume) {
    return;
  }
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto* results : {&replaced, &cleared}) {
    std::copy_if(results->begin(), results->end(), std::back_inserter(found), [&](const std::filesystem::path& result) {
      return std::filesystem::exists(std::filesystem::symlink_status(folder_ / result, error));
    });
  }
  if (!found.empty() && !continuation.overwrite) {
    throw retort::OptionError(retort::concatenate(
        {"--out: ", folder_.string(), " holds ", found.front().string(),
         found.size() > 1 ? retort::concatenate({" and ", found.size() - 1, " more files"}) : std::string(),
         " of an earlier run, expected --resume to go on with it, or --overwrite to replace it"}));
  }
  for (const std::filesystem::path& result : cleared) {
    std::filesystem::remove(folder_ / result, error);
    if (error) {
      throw retort::FileError(folder_ / result, "cannot be removed (" + error.message() + ")");
    }
  }
}

}  // namespace examples
