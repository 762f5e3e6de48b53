// SPDX-License-Identifier: MIT
#include "retort/core/atomic_file.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "temporary_folder.hpp"

namespace {

using retort::AtomicFile;
using retort::FileError;
using retort::test::read_file;
using retort::test::TemporaryFolder;
using retort::test::write_file;

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

void write_whole(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

// What FileError says; empty where nothing was thrown.
std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

// Runs `action` in a child process, whose limits and user may change without harm; returns its exit status.
int status_of_child(const std::function<int()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = action();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Whether the complaint about `path` begins with it, as every FileError does, and ends with the system's reason.
bool names(const std::string& message, const std::filesystem::path& path, std::string_view reason) {
  return message.starts_with(path.string() + ": ") && message.find(reason) != std::string::npos;
}

}  // namespace

TEST_CASE("a committed file has every byte and leaves no other behind") {
  const TemporaryFolder folder;
  std::string text;
  {
    AtomicFile file(folder / "file");
    for (int line = 0; line < 1000; ++line) {
      const std::string part = std::to_string(line) + "\n" + std::string(1, '\0');
      file.write(part);
      text += part;
    }
    const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
    file.write(bytes);
    file.write("");
    text += std::string("\0\xFF", 2);
    file.commit();
    CHECK(read_file(folder / "file") == text);
    CHECK(entries(folder.path()) == 1);
  }
  CHECK(read_file(folder / "file") == text);
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("the old file stays whole until the commit, and is then replaced") {
  const TemporaryFolder folder;
  write_file(folder / "file", "the old contents, which are longer");
  {
    AtomicFile file(folder / "file");
    file.write("new");
    CHECK(read_file(folder / "file") == "the old contents, which are longer");
    file.commit();
  }
  CHECK(read_file(folder / "file") == "new");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("without a commit nothing changes") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  {
    AtomicFile(folder / "file").write("new");
  }
  CHECK(read_file(folder / "file") == "old");
  {
    AtomicFile(folder / "other").write("new");
  }
  try {
    AtomicFile file(folder / "file");
    file.write("new");
    throw retort::Error("something else went wrong");
  } catch (const retort::Error&) {
  }
  CHECK(read_file(folder / "file") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("what a killed process left behind is replaced") {
  const TemporaryFolder folder;
  write_file(folder / "file.tmp", "half of a much longer file");
  write_whole(folder / "file", "new");
  CHECK(read_file(folder / "file") == "new");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a link under the temporary name is not followed") {
  const TemporaryFolder folder;
  write_file(folder / "precious", "precious");
  std::filesystem::create_symlink(folder / "precious", folder / "file.tmp");
  write_whole(folder / "file", "new");
  CHECK(read_file(folder / "precious") == "precious");
  CHECK(read_file(folder / "file") == "new");
  CHECK_FALSE(std::filesystem::is_symlink(folder / "file"));
}

TEST_CASE("a killed writer leaves the old file as it was") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  const int status = status_of_child([&]() -> int {
    AtomicFile file(folder / "file");
    file.write("new");
    ::raise(SIGKILL);
    return 0;
  });
  REQUIRE(status == 128 + SIGKILL);
  CHECK(read_file(folder / "file") == "old");
}

TEST_CASE("a missing folder, a folder in the file's place and an empty path are FileErrors that name the path") {
  const TemporaryFolder folder;
  const std::filesystem::path missing = folder / "no" / "file";
  CHECK(names(complaint([&] { write_whole(missing, "x"); }), missing, "(No such file or directory)"));
  CHECK_FALSE(std::filesystem::exists(folder / "no"));

  std::filesystem::create_directory(folder / "taken");
  CHECK(names(complaint([&] { write_whole(folder / "taken", "x"); }), folder / "taken", "cannot be replaced"));
  CHECK(std::filesystem::is_directory(folder / "taken"));
  CHECK(entries(folder.path()) == 1);

  std::filesystem::create_directory(folder / "file.tmp");
  CHECK(names(complaint([&] { write_whole(folder / "file", "x"); }), folder / "file", "cannot be written"));
  CHECK(std::filesystem::is_directory(folder / "file.tmp"));
}

TEST_CASE("a read-only folder is a FileError, and what is in it stays") {
  const TemporaryFolder folder;
  const std::filesystem::path closed = folder / "closed";
  std::filesystem::create_directory(closed);
  write_file(closed / "file", "old");
  using std::filesystem::perms;
  std::filesystem::permissions(folder.path(), perms::owner_all | perms::others_read | perms::others_exec);
  std::filesystem::permissions(closed, perms::owner_read | perms::owner_exec | perms::others_read | perms::others_exec);
  const int status = status_of_child([&] {
    // Permissions do not bind the superuser: give them up.
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 && ::seteuid(nobody) != 0) {
      return 77;
    }
    return names(complaint([&] { write_whole(closed / "file", "new"); }), closed / "file", "(Permission denied)") ? 0
                                                                                                                  : 1;
  });
  std::filesystem::permissions(closed, perms::owner_all);
  if (status == 77) {
    retort::test::skip("the superuser's rights cannot be given up here");
    return;
  }
  CHECK(status == 0);
  CHECK(read_file(closed / "file") == "old");
  CHECK(entries(closed) == 1);
}

TEST_CASE("a full disk is a FileError, and the old file stays") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  // A limit on the size of files stands in for the disk: the system refuses the write in the same way.
  const int status = status_of_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    AtomicFile file(folder / "file");
    const std::string text(3000, 'x');
    file.write(text);
    // Half of this write fits: the rest must not be lost in silence.
    return names(complaint([&] { file.write(text); }), folder / "file", "cannot be written (File too large)") ? 0 : 1;
  });
  CHECK(status == 0);
  CHECK(read_file(folder / "file") == "old");
  CHECK(entries(folder.path()) == 1);

  if (std::filesystem::exists("/dev/full")) {
    // A name whose temporary one is taken by a device is not written through it.
    std::filesystem::create_symlink("/dev/full", folder / "file.tmp");
    write_whole(folder / "file", "new");
    CHECK(read_file(folder / "file") == "new");
  }
}

TEST_CASE("a file is written once") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "file");
  file.write("new");
  file.commit();
  CHECK_THROWS_AS(file.write("more"), FileError);
  CHECK_THROWS_AS(file.commit(), FileError);
  CHECK(read_file(folder / "file") == "new");
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<AtomicFile>);
}

TEST_CASE("a bare name is written beside the program") {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const std::string message = complaint([] { write_whole("file", "new"); });
  std::filesystem::current_path(before);
  CHECK(message.empty());
  CHECK(read_file(folder / "file") == "new");
}
