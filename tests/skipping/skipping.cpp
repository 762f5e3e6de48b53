// SPDX-License-Identifier: MIT
// Cases for the exit code of a program of which all, some or no cases are skipped; tests/CMakeLists.txt says which code
// each selection must give.

#include "catch.hpp"

using retort::test::skip;

TEST_CASE("passes") { CHECK(true); }

TEST_CASE("skipped") { skip("nothing is needed, nothing is there"); }

TEST_CASE("fails before it is skipped") {
  CHECK(false);
  skip("too late");
}

TEST_CASE("fails after it was skipped") {
  skip("too early");
  CHECK(false);
}
