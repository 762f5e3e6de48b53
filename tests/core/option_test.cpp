// SPDX-License-Identifier: MIT
#include "retort/core/option.hpp"

#include <cstddef>
#include <string>

#include "catch.hpp"

TEST_CASE("An option outside its range is named with its value and range", "[core]") {
  CHECK_NOTHROW(retort::require_option(true, "A", "x", 1.0, "anything"));
  try {
    retort::require_option(false, "StepSchedule", "every_epochs", std::size_t{0}, "a number above 0");
    FAIL("accepted");
  } catch (const retort::OptionError& error) {
    CHECK(std::string{error.what()} == "StepSchedule: every_epochs is 0, expected a number above 0");
  }
}
