// SPDX-License-Identifier: MIT
#include "retort/core/file_descriptor.hpp"

#include <fcntl.h>

#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "temporary_folder.hpp"

using namespace retort;
using namespace retort::test;
using internal::FileDescriptor;

namespace {

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

std::string message(int reason) {
  try {
    internal::throw_file_error("a/file", "cannot be written", reason);
  } catch (const FileError& error) {
    return error.what();
  }
}

FileDescriptor open_null() { return FileDescriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC)); }

}  // namespace

TEST_CASE("A descriptor is closed with its owner, once, wherever it moves", "[core]") {
  CHECK_FALSE(FileDescriptor());
  int first = -1;
  int second = -1;
  {
    FileDescriptor owner = open_null();
    REQUIRE(owner);
    first = owner.get();
    FileDescriptor heir(std::move(owner));
    CHECK_FALSE(owner);  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    CHECK(heir.get() == first);
    FileDescriptor other = open_null();
    second = other.get();
    heir = std::move(other);
    CHECK(heir.get() == second);
  }
  CHECK_FALSE(is_open(first));
  CHECK_FALSE(is_open(second));
}

TEST_CASE("What the system refuses is an error with its reason", "[core]") {
  const TemporaryFolder folder;
  const std::string_view text = "all of it";
  const FileDescriptor readable(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(readable);
  CHECK(open_null().write(std::as_bytes(std::span(text))));
  errno = 0;
  CHECK_FALSE(readable.write(std::as_bytes(std::span(text))));
  CHECK(errno == EBADF);
  CHECK(message(ENOSPC) == "a/file: cannot be written (No space left on device)");
  errno = EACCES;
  CHECK_THROWS_WITH(internal::throw_file_error("a/file", "cannot be read"),
                    "a/file: cannot be read (Permission denied)");
}
