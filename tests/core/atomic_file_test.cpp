// SPDX-License-Identifier: MIT
#include "retort/core/atomic_file.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "temporary_folder.hpp"

namespace {

// What fsync answers in this program: an error number, or 0 for the system's own answer.
int fsync_answer = 0;

}  // namespace

extern "C" int fsync(int descriptor) {
  if (fsync_answer != 0) {
    errno = fsync_answer;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

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

TEST_CASE("what another program keeps under a similar name is left alone") {
  const TemporaryFolder folder;
  write_file(folder / "file.tmp", "precious");
  std::filesystem::create_directory(folder / "file.retort-");
  write_whole(folder / "file", "new");
  CHECK(read_file(folder / "file") == "new");
  CHECK(read_file(folder / "file.tmp") == "precious");
  CHECK(entries(folder.path()) == 3);
}

TEST_CASE("what killed writers left behind is removed on request, and what others write now is not") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  write_file(folder / "file.tmp", "another program's");
  write_file(folder / ".retort-aaaaaa.tmp", "of no file");
  for (int killed = 0; killed < 3; ++killed) {
    REQUIRE(status_of_child([&]() -> int {
              AtomicFile file(folder / "file");
              file.write("half");
              ::raise(SIGKILL);
              return 0;
            }) == 128 + SIGKILL);
  }
  CHECK(entries(folder.path()) == 6);
  AtomicFile live(folder / "file");
  live.write("new");
  // By another process, as the lock's owner is a process's open file.
  CHECK(status_of_child([&] {
          retort::remove_abandoned_files(folder.path());
          return 0;
        }) == 0);
  CHECK(entries(folder.path()) == 4);
  retort::remove_abandoned_files(folder.path());
  CHECK(entries(folder.path()) == 4);
  live.commit();
  CHECK(read_file(folder / "file") == "new");
  CHECK(read_file(folder / "file.tmp") == "another program's");
  CHECK(entries(folder.path()) == 3);
  retort::remove_abandoned_files(folder / "missing");
}

TEST_CASE("two writers of one path do not meet: each file that a reader sees is one of theirs, whole") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "file";
  {
    AtomicFile first(path);
    AtomicFile second(path);
    first.write("first");
    second.write("second");
    first.commit();
    CHECK(read_file(path) == "first");
    second.commit();
    CHECK(read_file(path) == "second");
  }
  const std::string letters = "abcd";
  std::atomic<int> complaints{0};
  std::atomic<int> writing{static_cast<int>(letters.size())};
  std::vector<std::thread> writers;
  for (const char letter : letters) {
    writers.emplace_back([&, letter] {
      for (int round = 0; round < 50; ++round) {
        complaints += complaint([&] {
                        AtomicFile file(path);
                        file.write(std::string(5000, letter));
                        file.write(std::string(5000, letter));
                        file.commit();
                      }).empty()
                          ? 0
                          : 1;
      }
      --writing;
    });
  }
  int torn = 0;
  while (writing > 0) {
    const std::string text = read_file(path);
    torn += text == "second" || (text.size() == 10000 && text == std::string(10000, text.front())) ? 0 : 1;
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  CHECK(torn == 0);
  CHECK(complaints == 0);
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a symbolic link is followed, and stays") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "other");
  write_file(folder / "other" / "target", "old");
  std::filesystem::create_symlink("other/second", folder / "link");
  std::filesystem::create_symlink("target", folder / "other" / "second");
  write_whole(folder / "link", "new");
  CHECK(read_file(folder / "other" / "target") == "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(std::filesystem::is_symlink(folder / "other" / "second"));
  CHECK(entries(folder / "other") == 2);

  std::filesystem::create_symlink(folder / "other" / "to be made", folder / "dangling");
  write_whole(folder / "dangling", "made");
  CHECK(std::filesystem::is_symlink(folder / "dangling"));
  CHECK(read_file(folder / "other" / "to be made") == "made");

  std::filesystem::create_symlink("round", folder / "round");
  CHECK(names(complaint([&] { write_whole(folder / "round", "x"); }), folder / "round", "cannot be written"));
  CHECK(std::filesystem::is_symlink(folder / "round"));
}

TEST_CASE("what is not a regular file is written to, and never replaced") {
  const TemporaryFolder folder;
  const std::filesystem::path fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::filesystem::create_symlink("fifo", folder / "link");
  const pid_t writer = ::fork();
  if (writer == 0) {
    retort::require_writable(folder / "link");  // not to be seen by the reader
    write_whole(folder / "link", "through the pipe");
    ::_exit(0);
  }
  CHECK(read_file(fifo) == "through the pipe");
  ::waitpid(writer, nullptr, 0);
  CHECK(std::filesystem::is_fifo(fifo));
  CHECK(entries(folder.path()) == 2);

  write_whole("/dev/null", "nothing");
  CHECK(std::filesystem::is_character_file("/dev/null"));
  if (std::filesystem::exists("/dev/full")) {
    CHECK(names(complaint([] { write_whole("/dev/full", "x"); }), "/dev/full",
                "cannot be written (No space left on device)"));
    CHECK(std::filesystem::is_character_file("/dev/full"));
  }
}

TEST_CASE("a file that is replaced keeps its permissions, a new one gets those of every new file") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  const auto mode = [&](const char* name) { return std::filesystem::status(folder / name).permissions(); };
  write_file(folder / "plain", "");
  for (const mode_t wanted : {0600u, 0640u, 0666u, 0444u, 0755u}) {
    REQUIRE(::chmod((folder / "file").c_str(), wanted) == 0);
    CAPTURE(wanted);
    {
      AtomicFile file(folder / "file");
      file.write("new");
      file.commit();
    }
    CHECK(mode("file") == static_cast<std::filesystem::perms>(wanted));
  }
  write_whole(folder / "fresh", "new");
  CHECK(mode("fresh") == mode("plain"));

  if (::geteuid() == 0) {
    constexpr uid_t nobody = 65534;
    REQUIRE(::chown((folder / "file").c_str(), nobody, nobody) == 0);
    write_whole(folder / "file", "newer");
    struct stat found{};
    REQUIRE(::stat((folder / "file").c_str(), &found) == 0);
    CHECK(found.st_uid == nobody);
    CHECK(found.st_gid == nobody);
  }
}

TEST_CASE("a file system that cannot flush can be written to, and one whose flush fails cannot") {
  const TemporaryFolder folder;
  for (const int reason : {EINVAL, ENOTSUP, ENOSYS}) {
    CAPTURE(reason);
    fsync_answer = reason;
    CHECK(complaint([&] { write_whole(folder / "file", "new"); }).empty());
    CHECK(read_file(folder / "file") == "new");
    std::filesystem::remove(folder / "file");
  }
  write_file(folder / "file", "old");
  for (const int reason : {EIO, ENOSPC, EDQUOT}) {
    CAPTURE(reason);
    fsync_answer = reason;
    CHECK(names(complaint([&] { write_whole(folder / "file", "new"); }), folder / "file",
                "cannot be flushed to the disk"));
    CHECK(read_file(folder / "file") == "old");
  }
  fsync_answer = 0;
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("whether a file can be written is asked without a trace") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  retort::require_writable(folder / "file");
  retort::require_writable(folder / "new");
  CHECK(read_file(folder / "file") == "old");
  CHECK(entries(folder.path()) == 1);
  const auto ask = [](const std::filesystem::path& path) { return complaint([&] { retort::require_writable(path); }); };
  CHECK(names(ask(folder / "no" / "file"), folder / "no" / "file", "(No such file or directory)"));
  CHECK(names(ask(folder.path()), folder.path(), "(Is a directory)"));
  CHECK_FALSE(ask("").empty());
}

TEST_CASE("the longest names can be written") {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  write_whole(folder / name, "new");
  CHECK(read_file(folder / name) == "new");
  CHECK(entries(folder.path()) == 1);
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
