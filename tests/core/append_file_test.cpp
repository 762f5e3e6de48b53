// SPDX-License-Identifier: MIT
#include "retort/core/append_file.hpp"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "catch.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace retort;
using retort::test::read_file;
using retort::test::TemporaryFolder;
using retort::test::write_file;

TEST_CASE("Text is added at the end, and what is too much is cut off", "[core]") {
  const TemporaryFolder folder;
  internal::AppendFile(folder / "a").append("one\n");
  CHECK(read_file(folder / "a") == "one\n");
  internal::AppendFile file(folder / "a");
  file.append("two\n");
  CHECK(read_file(folder / "a") == "one\ntwo\n");
  file.truncate(100);
  CHECK(read_file(folder / "a") == "one\ntwo\n");
  file.truncate(4);
  file.append("three\n");
  CHECK(read_file(folder / "a") == "one\nthree\n");
}

TEST_CASE("What a file holds is compared from a place on", "[core]") {
  const TemporaryFolder folder;
  write_file(folder / "a", "one\ntwo\n");
  const internal::AppendFile file(folder / "a");
  CHECK(file.holds(0, "one\n"));
  CHECK(file.holds(4, "two\n"));
  CHECK(file.holds(8, ""));
  CHECK_FALSE(file.holds(4, "two\nthree\n"));
  CHECK_FALSE(file.holds(4, "tow\n"));
  CHECK_FALSE(file.holds(100, "one"));
}

TEST_CASE("A link is followed, and what is not a regular file is only written to", "[core]") {
  const TemporaryFolder folder;
  write_file(folder / "a", "one\n");
  std::filesystem::create_symlink(folder / "a", folder / "link");
  internal::AppendFile(folder / "link").append("two\n");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_file(folder / "a") == "one\ntwo\n");

  internal::AppendFile nowhere("/dev/null");
  nowhere.append("one\n");
  nowhere.truncate(0);
  CHECK_FALSE(nowhere.holds(0, "one\n"));
}

TEST_CASE("A file that cannot be written is a FileError that names it", "[core]") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(internal::AppendFile(folder / "missing/a"),
                    Catch::Matchers::StartsWith((folder / "missing/a").string() + ": cannot be written"));
  CHECK_THROWS_AS(internal::AppendFile(folder.path()), FileError);
}

TEST_CASE("A line that does not fit the disk leaves those before it whole", "[core]") {
  const TemporaryFolder folder;
  internal::AppendFile file(folder / "a");
  file.append("one\n");
  ::rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit small = before;
  small.rlim_cur = 10;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message = "no error";
  try {
    file.append("a line that is too long\n");
  } catch (const FileError& error) {
    message = error.what();
  }
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, old_handler);
  CHECK_THAT(message, Catch::Matchers::StartsWith((folder / "a").string() + ": cannot be written"));
  CHECK(read_file(folder / "a") == "one\n");
  file.append("two\n");
  CHECK(read_file(folder / "a") == "one\ntwo\n");
}

}  // namespace
