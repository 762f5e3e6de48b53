// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the tests of CUDA share: whether there is a device, and the line of an error.

#include <string>

#include "backend/cuda/runtime/presence.hpp"
#include "catch.hpp"
#include "retort/core/error.hpp"

namespace retort::test {

/// The message of the `Expected` that `function` throws.
template <typename Expected = DeviceError, typename Function>
std::string error_of(const Function& function) {
  try {
    function();
  } catch (const Expected& error) {
    return error.what();
  }
  FAIL("nothing was thrown");
  return {};
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace retort::test

/// Ends a test case that needs a device where there is none: its first line, and its tag is [device].
#define RETORT_REQUIRE_CUDA_DEVICE()                                                \
  if (const std::string reason = retort::test::no_cuda_device(); !reason.empty()) { \
    retort::test::skip(reason);                                                     \
    return;                                                                         \
  }                                                                                 \
  static_assert(true)
