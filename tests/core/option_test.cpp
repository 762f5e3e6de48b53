// SPDX-License-Identifier: MIT
#include "retort/core/option.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <type_traits>

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

TEST_CASE("A number that is not finite is no option, whatever its range", "[core]") {
  for (const double value : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(retort::require_option(true, "A", "x", value, "a number"), retort::OptionError);
  }
}

namespace {

struct Plain {
  bool& called;
  void validate() const { called = true; }
};

struct Typed {
  bool& in_float;
  template <typename Scalar = double>
  void validate() const {
    in_float = std::is_same_v<Scalar, float>;
  }
};

}  // namespace

TEST_CASE("An option is checked in the type that computes with it, where it can be", "[core]") {
  bool called = false;
  retort::validate_in<float>(Plain{called});
  CHECK(called);
  bool in_float = false;
  retort::validate_in<float>(Typed{in_float});
  CHECK(in_float);
}
