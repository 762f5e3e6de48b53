// SPDX-License-Identifier: MIT
#include "retort/core/error.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "catch.hpp"

TEST_CASE("errors about files begin with the path and a colon") {
  CHECK(std::string(retort::FileError("data/x.gz", "cannot be read").what()) == "data/x.gz: cannot be read");
  CHECK(std::string(retort::FormatError("data/x.gz", "magic: 1, expected 2051").what()) ==
        "data/x.gz: magic: 1, expected 2051");
}

TEST_CASE("errors about sizes and options are the sentence given") {
  CHECK(std::string(retort::ShapeError("inputs: 3, expected 4").what()) == "inputs: 3, expected 4");
  CHECK(std::string(retort::OptionError("threads: 0, expected at least 1").what()) ==
        "threads: 0, expected at least 1");
}

TEST_CASE("an error of a device is the sentence given") {
  CHECK(std::string(retort::DeviceError("CUDA: no device").what()) == "CUDA: no device");
}

TEMPLATE_TEST_CASE("every error is caught as retort::Error and as std::runtime_error", "", retort::FileError,
                   retort::FormatError, retort::ShapeError, retort::OptionError, retort::DivergenceError,
                   retort::DeviceError) {
  STATIC_REQUIRE(std::is_base_of_v<retort::Error, TestType>);
  STATIC_REQUIRE(std::is_base_of_v<std::runtime_error, TestType>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<TestType>);
}

TEST_CASE("the kinds of error are told apart") {
  STATIC_REQUIRE_FALSE(std::is_base_of_v<retort::FileError, retort::FormatError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<retort::FormatError, retort::FileError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<retort::ShapeError, retort::OptionError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<retort::ShapeError, retort::DeviceError>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<retort::OptionError, retort::DeviceError>);
}
