// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Catch2 version 2 or 3, whichever is installed, and skipping, which not all of them have. Floating-point checks use
/// WithinAbs and WithinRel, which both have.

#include <iostream>
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace retort::test {

/// Whether the test case that runs has been skipped.
inline bool& case_skipped() {
  static bool skipped = false;
  return skipped;
}

/// Says why the running test case is skipped, in one line of its own. It is to return then; what failed in it before or
/// afterwards is a failure all the same (main.cpp).
inline void skip(const std::string& reason) {
  std::cout << "skipped: " << reason << std::endl;
  case_skipped() = true;
}

}  // namespace retort::test
