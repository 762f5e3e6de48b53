// SPDX-License-Identifier: MIT
#include "retort/core/console.hpp"

#include <cstdio>
#include <memory>
#include <string>

#include "catch.hpp"
#include "retort/core/error.hpp"
#include "terminal.hpp"

namespace {

using namespace retort;
using test::EnvironmentVariable;
using test::Terminal;
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

TEST_CASE("A terminal is as wide as it says, now, and what does not say has 80 columns", "[core][console]") {
  const Terminal terminal(123);
  CHECK(internal::console_columns(terminal.stream()) == 123);
  terminal.resize(40);
  CHECK(internal::console_columns(terminal.stream()) == 40);
  terminal.resize(0);
  CHECK(internal::console_columns(terminal.stream()) == 80);
  const File file(std::tmpfile(), &std::fclose);
  CHECK(internal::console_columns(file.get()) == 80);
}

TEST_CASE("Lines are written over on terminals that are not dumb", "[core][console]") {
  const Terminal terminal(80);
  const File file(std::tmpfile(), &std::fclose);
  {
    const EnvironmentVariable term("TERM", "xterm");
    CHECK(internal::is_redrawable(terminal.stream()));
    CHECK_FALSE(internal::is_redrawable(file.get()));
  }
  for (const char* const name : {"dumb", static_cast<const char*>(nullptr)}) {
    const EnvironmentVariable term("TERM", name);
    CHECK_FALSE(internal::is_redrawable(terminal.stream()));
  }
}

TEST_CASE("Columns are counted by characters", "[core][console]") {
  CHECK(internal::columns_of("") == 0);
  CHECK(internal::columns_of("gr\u00f6\u00dfer") == 6);
  CHECK(internal::columns_of("\xFF") == 1);
}

TEST_CASE("Times are written as a clock shows them", "[core][console]") {
  CHECK(internal::clock_text(0.0) == "0:00");
  CHECK(internal::clock_text(6.6) == "0:07");
  CHECK(internal::clock_text(59.6) == "1:00");
  CHECK(internal::clock_text(720.0) == "12:00");
  CHECK(internal::clock_text(3600.0 + 23 * 60 + 4) == "1:23:04");
  CHECK(internal::clock_text(36000.0) == "10:00:00");
  CHECK(internal::clock_text(1e300) == "24000:00:00");
}

TEST_CASE("Output that did not arrive is an error, whether the last of it or something before", "[core][console]") {
  CHECK_THROWS_WITH(flush(nullptr), "flush: stream is null, expected one that is open, such as stdout");
  const File fine(std::tmpfile(), &std::fclose);
  std::fputs("text", fine.get());
  flush(fine.get());

  const File full(std::fopen("/dev/full", "w"), &std::fclose);
  if (full == nullptr) {
    test::skip("there is no /dev/full");
    return;
  }
  std::fputs("text", full.get());
  CHECK_THROWS_WITH(flush(full.get()), "output: cannot be written (No space left on device)");

  const File early(std::fopen("/dev/full", "w"), &std::fclose);
  std::setvbuf(early.get(), nullptr, _IONBF, 0);
  std::fputs("text", early.get());
  CHECK_THROWS_AS(flush(early.get()), FileError);
}

}  // namespace
