// SPDX-License-Identifier: MIT
#include "retort/core/out_of_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "catch.hpp"
#include "retort/core/aligned_buffer.hpp"
#include "retort/data/matrix.hpp"
#include "sanitized.hpp"

namespace {

using retort::test::sanitized;

using namespace retort;

std::string message(const std::string& purpose, std::size_t bytes) { return OutOfMemoryError(purpose, bytes).what(); }

TEST_CASE("memory that is not there is named with its size") {
  CHECK(message("logits", 0) == "logits: out of memory");
  CHECK(message("", 1024) == "memory: 1.0 KiB could not be allocated");
  CHECK(message("logits", 1) == "logits: 1 bytes could not be allocated");
  CHECK(message("logits", 1023) == "logits: 1023 bytes could not be allocated");
  CHECK(message("logits", 1024) == "logits: 1.0 KiB could not be allocated");
  CHECK(message("training data", std::size_t{3435973837}) == "training data: 3.2 GiB could not be allocated");
  CHECK(message("all", std::numeric_limits<std::size_t>::max()) == "all: 16.0 EiB could not be allocated");
  CHECK(message(std::string(1000, 'x'), std::numeric_limits<std::size_t>::max()) ==
        std::string(150, 'x') + ": 16.0 EiB could not be allocated");
}

TEST_CASE("the innermost size and purpose are told") {
  const auto complaint = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const std::bad_alloc& error) {
      return error.what();
    }
    return "no error";
  };
  if (sanitized) {
    retort::test::skip("sanitizers end the program where memory is refused");
    return;
  }
  constexpr std::size_t huge = std::size_t{1} << 62;
  CHECK(complaint([] { AlignedBuffer<std::byte>::uninitialized(huge); }) == "memory: 4.0 EiB could not be allocated");
  CHECK(complaint([] { data::Matrix<std::uint8_t>(1u << 31, 1u << 31); }) ==
        "matrix of 2147483648 x 2147483648: 4.0 EiB could not be allocated");
  CHECK(complaint([] { allocate_for("a network", 7, [] { return AlignedBuffer<std::byte>::uninitialized(huge); }); }) ==
        "a network: 4.0 EiB could not be allocated");
  CHECK(complaint([] { allocate_for("a list", 7, [] { throw std::bad_alloc(); }); }) ==
        "a list: 7 bytes could not be allocated");
  CHECK(complaint([] {
          allocate_for("a training", 9, [] { allocate_for("a list", 7, [] { throw std::bad_alloc(); }); });
        }) == "a list: 7 bytes could not be allocated");
  CHECK(allocate_for("nothing", 0, [] { return 3; }) == 3);
  // Whoever catches everything gets the sentence.
  try {
    allocate_for("a list", 2048, [] { throw std::bad_alloc(); });
  } catch (const std::exception& error) {
    CHECK(error.what() == std::string("a list: 2.0 KiB could not be allocated"));
  }
}

}  // namespace
