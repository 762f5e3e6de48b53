// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A terminal of a test's own, and what is printed on it.

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

namespace retort::test {

/// A pseudo-terminal, as wide as asked.
class Terminal {
 public:
  explicit Terminal(unsigned columns) : master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) {
      throw std::runtime_error("no pseudo-terminal");
    }
    resize(columns);
    stream_ = std::fopen(::ptsname(master_), "w");
    if (stream_ == nullptr) {
      throw std::runtime_error("a pseudo-terminal that cannot be opened");
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    std::fclose(stream_);
    ::close(master_);
  }

  void resize(unsigned columns) const {
    const winsize size{.ws_row = 24, .ws_col = static_cast<unsigned short>(columns), .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(master_, TIOCSWINSZ, &size);
  }

  std::FILE* stream() const { return stream_; }

  /// What was printed since the last call. Each line ends with "\r\n".
  std::string printed() const {
    std::fflush(stream_);
    std::string text;
    char part[4096];
    constexpr int patience = 50;  // ms: what was written may take a moment to come through
    for (pollfd ready{.fd = master_, .events = POLLIN, .revents = 0}; ::poll(&ready, 1, patience) == 1;) {
      const ssize_t got = ::read(master_, part, sizeof part);
      if (got <= 0) {
        break;
      }
      text.append(part, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int master_;
  std::FILE* stream_ = nullptr;
};

/// An environment variable as it is set, or not at all, until the end of the scope.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name)) {
      before_ = before;
    }
    set(value);
  }
  EnvironmentVariable(const EnvironmentVariable&) = delete;
  EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;
  ~EnvironmentVariable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  void set(const char* value) const { value == nullptr ? ::unsetenv(name_) : ::setenv(name_, value, 1); }

  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace retort::test
